package alert

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"

	"kurama/logship/record"
)

// predicate decides about one record. What a record does not have makes no
// comparison true, and no negation of one.
type predicate func(*record.Record) bool

// number fields of a record, and what they are measured in.
var recordNumbers = map[string]struct {
	unit unit
	get  func(*record.Record) record.Number
}{
	"dur":    {unitMillis, func(r *record.Record) record.Number { return r.Dur }},
	"queue":  {unitMillis, func(r *record.Record) record.Number { return r.Queue }},
	"cpu_ms": {unitMillis, func(r *record.Record) record.Number { return r.CPUMs }},
	"db_ms":  {unitMillis, func(r *record.Record) record.Number { return r.DBMs }},
	"bytes":  {unitCount, func(r *record.Record) record.Number { return r.Bytes }},
	"cpu":    {unitPercent, func(r *record.Record) record.Number { return r.CPU }},
	"mem":    {unitPercent, func(r *record.Record) record.Number { return r.Mem }},
	"disk":   {unitPercent, func(r *record.Record) record.Number { return r.Disk }},
	"swap":   {unitPercent, func(r *record.Record) record.Number { return r.Swap }},
	"status": {unitStatus, func(r *record.Record) record.Number { return positiveNumber(r.Status) }},
	"level":  {unitLevel, func(r *record.Record) record.Number { return positiveNumber(int(r.Level)) }},
	"release": {unitCount, func(r *record.Record) record.Number {
		return positiveNumber(r.Release)
	}},
}

func positiveNumber(n int) record.Number {
	return record.Number{Value: float64(n), Known: n > 0}
}

// texts of a record.
var recordTexts = map[string]func(*record.Record) string{
	"route":   func(r *record.Record) string { return r.Route },
	"url":     func(r *record.Record) string { return r.URL },
	"method":  func(r *record.Record) string { return r.Method },
	"msg":     func(r *record.Record) string { return r.Msg },
	"exc":     func(r *record.Record) string { return r.Exc },
	"replica": func(r *record.Record) string { return r.Replica },
	"event":   eventOf,
}

// eventOf returns the name of an event record.
func eventOf(r *record.Record) string {
	if r.Kind != record.KindEvent {
		return ""
	}
	var extra struct {
		Event string `json:"event"`
	}
	if json.Unmarshal(r.Extra, &extra) != nil {
		return ""
	}
	return extra.Event
}

// predicate compiles a condition on single records, negated where told.
func (g *grammar) predicate(n ast.Node, negate bool) (predicate, error) {
	switch n := n.(type) {
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			return g.predicate(n.Node, !negate)
		}
	case *ast.BinaryNode:
		if isJoin(n.Operator) {
			return g.joined(n, negate)
		}
		if id, ok := n.Left.(*ast.IdentifierNode); ok && recordTexts[id.Value] != nil {
			return g.textPredicate(n, recordTexts[id.Value], negate)
		}
		if opposite[n.Operator] != "" {
			return g.numberPredicate(n, negate)
		}
	}
	return nil, g.src.invalid(n.Location().From, "`%s` is no condition on a record: compare one of its fields, as in `level >= ERROR`, `status == 404` or `msg contains \"timeout\"`", describeNode(n))
}

func (g *grammar) joined(n *ast.BinaryNode, negate bool) (predicate, error) {
	left, err := g.predicate(n.Left, negate)
	if err != nil {
		return nil, err
	}
	right, err := g.predicate(n.Right, negate)
	if err != nil {
		return nil, err
	}
	if and := n.Operator == "and" || n.Operator == "&&"; and != negate {
		return func(r *record.Record) bool { return left(r) && right(r) }, nil
	}
	return func(r *record.Record) bool { return left(r) || right(r) }, nil
}

// textPredicate compiles `route == "/x"` and its like.
func (g *grammar) textPredicate(n *ast.BinaryNode, get func(*record.Record) string, negate bool) (predicate, error) {
	want, ok := n.Right.(*ast.StringNode)
	if !ok {
		return nil, g.src.invalid(n.Right.Location().From, "`%s` is compared with a text: write it in quotes", describeNode(n.Left))
	}
	var test func(string) bool
	switch n.Operator {
	case "==":
		test = func(s string) bool { return s == want.Value }
	case "!=":
		test = func(s string) bool { return s != want.Value }
	case "contains":
		test = func(s string) bool { return strings.Contains(s, want.Value) }
	case "startsWith":
		test = func(s string) bool { return strings.HasPrefix(s, want.Value) }
	case "endsWith":
		test = func(s string) bool { return strings.HasSuffix(s, want.Value) }
	case "matches":
		pattern, err := regexp.Compile(want.Value)
		if err != nil {
			return nil, g.src.invalid(n.Right.Location().From, "`%s` is no regular expression: %v", cut(want.Value, 40), err)
		}
		test = pattern.MatchString
	default:
		return nil, g.src.invalid(n.Location().From, "`%s` does not compare texts: use == != contains startsWith endsWith matches", n.Operator)
	}
	return func(r *record.Record) bool {
		s := get(r)
		return s != "" && test(s) != negate
	}, nil
}

// numberPredicate compiles `dur > 1s` and its like.
func (g *grammar) numberPredicate(n *ast.BinaryNode, negate bool) (predicate, error) {
	id, ok := n.Left.(*ast.IdentifierNode)
	field, known := recordNumbers[""], false
	if ok {
		field, known = recordNumbers[id.Value]
	}
	if !known {
		return nil, g.src.invalid(n.Left.Location().From, "A record has no field called `%s`; it has level, status, dur, queue, cpu_ms, db_ms, bytes, release, cpu, mem, disk, swap, route, url, method, msg, exc, replica and event", describeNode(n.Left))
	}
	limit, ok := constant(n.Right)
	if !ok {
		return nil, g.src.invalid(n.Right.Location().From, "`%s` is compared with a number, and `%s` is none", id.Value, describeNode(n.Right))
	}
	own := unitNone
	switch right := n.Right.(type) {
	case *ast.IdentifierNode:
		own = unitLevel
	default:
		own = g.src.units[right.Location().From]
	}
	if own != unitNone && own != field.unit || own == unitNone && field.unit == unitLevel {
		return nil, g.src.invalid(n.Right.Location().From, "`%s` compares %s with %s", describeNode(n), field.unit, own)
	}
	op := n.Operator
	if negate {
		op = opposite[op]
	}
	compare := comparisons[op]
	return func(r *record.Record) bool {
		v := field.get(r)
		return v.Known && compare(v.Value, limit)
	}, nil
}

var comparisons = map[string]func(a, b float64) bool{
	">":  func(a, b float64) bool { return a > b },
	">=": func(a, b float64) bool { return a >= b },
	"<":  func(a, b float64) bool { return a < b },
	"<=": func(a, b float64) bool { return a <= b },
	"==": func(a, b float64) bool { return a == b },
	"!=": func(a, b float64) bool { return a != b },
}
