package alert

import (
	"slices"
	"strconv"

	"github.com/expr-lang/expr/ast"
)

// grammar checks that a parsed tree is made of nothing but comparisons of
// figures, and collects what it finds on the way.
type grammar struct {
	src      *source
	names    []string
	calls    []*aggregate
	subject  string
	limit    float64
	hasLimit bool
}

// opposite holds the comparison that is true where the other one is false.
var opposite = map[string]string{">": "<=", ">=": "<", "<": ">=", "<=": ">", "==": "!=", "!=": "=="}

// condition checks the whole tree.
func (g *grammar) condition(root ast.Node) error {
	if err := g.boolean(root); err != nil {
		return err
	}
	if len(g.names) == 0 {
		return g.src.invalid(0, "The condition `%s` names no figure of the app", g.src.written)
	}
	return nil
}

// boolean checks a node that must be true or false.
func (g *grammar) boolean(n ast.Node) error {
	switch n := n.(type) {
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			return g.boolean(n.Node)
		}
	case *ast.BinaryNode:
		switch {
		case isJoin(n.Operator):
			if err := g.boolean(n.Left); err != nil {
				return err
			}
			return g.boolean(n.Right)
		case opposite[n.Operator] != "":
			return g.comparison(n)
		}
	}
	if call, ok := n.(*ast.CallNode); ok && functions[calledName(call)].truth {
		_, err := g.call(call)
		return err
	}
	if _, err := g.number(n); err != nil {
		return err
	}
	return g.src.invalid(n.Location().From, "`%s` is a number, neither true nor false: compare it, as in `cpu > 90`", phrase(n, g.src.units, nil))
}

// comparison checks that both sides are numbers of the same unit.
func (g *grammar) comparison(n *ast.BinaryNode) error {
	left, err := g.number(n.Left)
	if err != nil {
		return err
	}
	right, err := g.number(n.Right)
	if err != nil {
		return err
	}
	if left != right && left != unitNone && right != unitNone {
		return g.src.invalid(n.Right.Location().From, "`%s` compares %s with %s", phrase(n, g.src.units, nil), left, right)
	}
	v, ok := constant(n.Right)
	if !ok || g.hasLimit {
		return nil
	}
	switch left := n.Left.(type) {
	case *ast.IdentifierNode:
		g.subject, g.limit, g.hasLimit = left.Value, v, true
	case *ast.CallNode:
		g.subject, g.limit, g.hasLimit = callText(left, g.src.units), v, true
	}
	return nil
}

// number checks a node that must be a number and returns its unit.
func (g *grammar) number(n ast.Node) (unit, error) {
	switch n := n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return g.src.units[n.Location().From], nil
	case *ast.IdentifierNode:
		return g.name(n)
	case *ast.CallNode:
		a, err := g.call(n)
		if err != nil {
			return unitNone, err
		}
		return a.unit, nil
	case *ast.UnaryNode:
		if n.Operator == "-" || n.Operator == "+" {
			return g.number(n.Node)
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "+", "-", "*", "/":
			return g.arithmetic(n)
		}
	}
	return unitNone, g.src.invalid(n.Location().From, "`%s` cannot be part of a condition here", describeNode(n))
}

// name checks an identifier: a figure or a level.
func (g *grammar) name(n *ast.IdentifierNode) (unit, error) {
	if levels[n.Value] != 0 {
		return unitLevel, nil
	}
	u, ok := figureUnit(n.Value)
	if !ok {
		return unitNone, g.src.invalid(n.Location().From, "There is no figure called `%s`", n.Value)
	}
	for _, known := range g.names {
		if known == n.Value {
			return u, nil
		}
	}
	g.names = append(g.names, n.Value)
	return u, nil
}

// arithmetic checks + - * / and returns the unit of the result.
func (g *grammar) arithmetic(n *ast.BinaryNode) (unit, error) {
	left, err := g.number(n.Left)
	if err != nil {
		return unitNone, err
	}
	right, err := g.number(n.Right)
	if err != nil {
		return unitNone, err
	}
	switch {
	case left == unitNone:
		return right, nil
	case right == unitNone || n.Operator == "+" && left == right || n.Operator == "-" && left == right:
		return left, nil
	case n.Operator == "+" || n.Operator == "-":
		return unitNone, g.src.invalid(n.Right.Location().From, "`%s` adds up %s and %s", phrase(n, g.src.units, nil), left, right)
	}
	return unitNone, nil
}

// positive writes the tree, negated where told, without any negation in it and
// without !=, so that an unknown figure can only make it false. Calls become
// the variables that hold their figures.
func (g *grammar) positive(n ast.Node, negate bool) string {
	switch n := n.(type) {
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			return g.positive(n.Node, !negate)
		}
		return "(" + n.Operator + g.positive(n.Node, false) + ")"
	case *ast.BinaryNode:
		op := n.Operator
		switch {
		case isJoin(op):
			and := op == "and" || op == "&&"
			joined := map[bool]string{true: " and ", false: " or "}[and != negate]
			return "(" + g.positive(n.Left, negate) + joined + g.positive(n.Right, negate) + ")"
		case opposite[op] != "" && negate:
			op = opposite[op]
		}
		left, right := g.positive(n.Left, false), g.positive(n.Right, false)
		if op == "!=" {
			return "(" + left + " < " + right + " or " + left + " > " + right + ")"
		}
		return "(" + left + " " + op + " " + right + ")"
	case *ast.IdentifierNode:
		return n.Value
	case *ast.CallNode:
		return g.variable(n, negate)
	}
	v, _ := constant(n)
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// variable writes a call: the name of its figure, and where it is true or
// false, the comparison that says so.
func (g *grammar) variable(n *ast.CallNode, negate bool) string {
	name := variableOf(g.names, callText(n, g.src.units))
	switch {
	case !functions[calledName(n)].truth:
		return name
	case negate:
		return "(" + name + " <= 0)"
	}
	return "(" + name + " > 0)"
}

// variableOf names the figure name in the program: a call is no identifier.
func variableOf(names []string, name string) string {
	return "figure" + strconv.Itoa(slices.Index(names, name))
}

// isJoin reports whether op joins two conditions.
func isJoin(op string) bool { return op == "and" || op == "&&" || op == "or" || op == "||" }

// constant returns the value of a literal, a signed literal or a level.
func constant(n ast.Node) (float64, bool) {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return float64(n.Value), true
	case *ast.FloatNode:
		return n.Value, true
	case *ast.IdentifierNode:
		return float64(levels[n.Value]), levels[n.Value] != 0
	case *ast.UnaryNode:
		v, ok := constant(n.Node)
		if n.Operator == "-" {
			v = -v
		}
		return v, ok && (n.Operator == "-" || n.Operator == "+")
	}
	return 0, false
}
