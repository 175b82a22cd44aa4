package alert

import (
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// Phrase writes the condition with the values of f and units on every number,
// as in "cpu 93 % > 90 %", and its for-duration. With nil figures it is the
// condition alone: "cpu > 90 % for 1 min".
func (c *Condition) Phrase(f Figures) string {
	text := phrase(c.tree, c.units, f)
	if c.For > 0 {
		text += " for " + spell(c.For)
	}
	return text
}

// Now writes the figures that the condition uses with their values in f:
// "cpu 41 %, mem unknown".
func (c *Condition) Now(f Figures) string {
	said := make([]string, len(c.names))
	for i, name := range c.names {
		said[i] = name + " " + c.valueOf(name, f)
	}
	return strings.Join(said, ", ")
}

// valueOf writes the figure name of f, or that it is not known.
func (c *Condition) valueOf(name string, f Figures) string { return valueOf(c.unitOf(name), name, f) }

func valueOf(u unit, name string, f Figures) string {
	v, ok := f[name]
	switch {
	case !ok:
		return "unknown"
	case strings.HasPrefix(name, "nodata("):
		return map[bool]string{true: "yes", false: "no"}[v > 0]
	}
	return format(u, v)
}

// phrase writes a node of a condition; with figures, each name is followed by
// its value.
func phrase(n ast.Node, units map[int]unit, f Figures) string {
	return (&writer{units: units, figures: f}).node(n, unitNone, 0)
}

type writer struct {
	units   map[int]unit
	figures Figures
}

// node writes n. u is the unit that a bare number takes from the other side of
// its comparison; outer is the precedence of what n stands in.
func (w *writer) node(n ast.Node, u unit, outer int) string {
	switch n := n.(type) {
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			return "not " + w.node(n.Node, unitNone, 5)
		}
		return n.Operator + w.node(n.Node, u, 5)
	case *ast.BinaryNode:
		return w.binary(n, u, outer)
	case *ast.IdentifierNode:
		if u, ok := figureUnit(n.Value); ok && w.figures != nil {
			return n.Value + " " + valueOf(u, n.Value, w.figures)
		}
		return n.Value
	case *ast.CallNode:
		name := callText(n, w.units)
		if w.figures != nil {
			return name + " " + valueOf(callUnit(n), name, w.figures)
		}
		return name
	case *ast.StringNode:
		return strconv.Quote(n.Value)
	case *ast.IntegerNode, *ast.FloatNode:
		v, _ := constant(n)
		if own := w.units[n.Location().From]; own != unitNone {
			u = own
		}
		return format(u, v)
	}
	return describeNode(n)
}

// binary writes a join, a comparison or arithmetic, with brackets where they
// are needed.
func (w *writer) binary(n *ast.BinaryNode, u unit, outer int) string {
	op, level := n.Operator, 3
	switch {
	case op == "or" || op == "||":
		op, level = "or", 1
	case op == "and" || op == "&&":
		op, level = "and", 2
	case opposite[op] != "":
		u = w.unit(n.Left)
		if u == unitNone {
			u = w.unit(n.Right)
		}
	case op == "contains" || op == "matches" || op == "startsWith" || op == "endsWith":
		level = 3
	case op == "*" || op == "/":
		u, level = unitNone, 5 // a factor has no unit of its own
	default:
		level = 4
	}
	text := w.node(n.Left, u, level) + " " + op + " " + w.node(n.Right, u, level+1)
	if level < outer {
		return "(" + text + ")"
	}
	return text
}

// unit returns the unit of the numbers in n.
func (w *writer) unit(n ast.Node) unit {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if levels[n.Value] != 0 {
			return unitLevel
		}
		if u, ok := figureUnit(n.Value); ok {
			return u
		}
		return recordNumbers[n.Value].unit
	case *ast.CallNode:
		return callUnit(n)
	case *ast.UnaryNode:
		return w.unit(n.Node)
	case *ast.BinaryNode:
		if u := w.unit(n.Left); u != unitNone {
			return u
		}
		return w.unit(n.Right)
	case *ast.IntegerNode, *ast.FloatNode:
		return w.units[n.Location().From]
	}
	return unitNone
}

// describeNode names a node that no condition may hold.
func describeNode(n ast.Node) string {
	return cut(strings.ReplaceAll(n.String(), callMark, ""), 40)
}

// cut shortens text to n characters, with a mark where something is missing.
func cut(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n]) + "…"
	}
	return text
}
