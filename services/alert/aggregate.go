package alert

import (
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"kurama/logship/record"
)

// Bounds of a window.
const (
	minWindow = 10 * time.Second
	maxWindow = time.Hour
	// defaultWindow is that of calls which need none: oom(), new_exception().
	defaultWindow = 5 * time.Minute
)

// callMark stands before the name of a function in the text that the parser
// gets: some of its own functions have the same names.
const callMark = "fn_"

// shape says what a function is called with and what it gives.
type shape struct {
	field     bool // the first argument is a number of records
	test      bool // a condition on records may be given
	needsTest bool // and must be
	truth     bool // the result is true or false
	unit      unit // of the result; unitNone: the field's
	free      bool // the window may be left out
	usage     string
}

// functions are what conditions may call.
var functions = map[string]shape{
	"p50":           {field: true, test: true, usage: `p50(dur, "5m")`},
	"p90":           {field: true, test: true, usage: `p90(dur, "5m")`},
	"p95":           {field: true, test: true, usage: `p95(dur, "5m")`},
	"p99":           {field: true, test: true, usage: `p99(dur, "5m")`},
	"mean":          {field: true, test: true, usage: `mean(cpu, "5m")`},
	"max":           {field: true, test: true, usage: `max(mem, "5m")`},
	"min":           {field: true, test: true, usage: `min(cpu, "5m")`},
	"sum":           {field: true, test: true, usage: `sum(cpu_ms, "1m")`},
	"count":         {test: true, needsTest: true, unit: unitCount, usage: `count(level >= ERROR, "5m")`},
	"rate":          {test: true, unit: unitRate, usage: `rate("1m") or rate(status == 404, "1m")`},
	"error_rate":    {test: true, unit: unitPercent, usage: `error_rate("5m")`},
	"nodata":        {test: true, truth: true, unit: unitCount, usage: `nodata("5m")`},
	"new_exception": {truth: true, unit: unitCount, free: true, usage: `new_exception("10m")`},
	"oom":           {truth: true, unit: unitCount, free: true, usage: `oom("5m")`},
}

// aggregate is a compiled call: one figure over the records of a window.
type aggregate struct {
	name   string // as it is written in messages, and the figure's name
	fn     string
	unit   unit
	window time.Duration
	get    func(*record.Record) record.Number // nil: records are counted
	test   predicate                          // nil: all
	kinds  []record.Kind                      // of the records that it looks at
}

// functionNames lists the functions for a sentence.
func functionNames() string {
	uses := make([]string, 0, len(functions))
	for _, f := range functions {
		uses = append(uses, f.usage)
	}
	slices.Sort(uses)
	return strings.Join(uses, ", ")
}

// call checks a call of a function and keeps its aggregate.
func (g *grammar) call(n *ast.CallNode) (*aggregate, error) {
	name := calledName(n)
	shape, ok := functions[name]
	if !ok {
		return nil, g.src.invalid(n.Location().From, "There is no function called `%s`. Functions are %s", name, functionNames())
	}
	a := &aggregate{fn: name, unit: shape.unit, window: defaultWindow, name: callText(n, g.src.units)}
	args := n.Arguments
	if err := g.callField(a, shape, n, &args); err != nil {
		return nil, err
	}
	if err := g.callRest(a, shape, n, args); err != nil {
		return nil, err
	}
	a.kinds = kindsOf(a)
	for _, known := range g.calls {
		if known.name == a.name {
			return known, nil
		}
	}
	g.calls = append(g.calls, a)
	if !slices.Contains(g.names, a.name) {
		g.names = append(g.names, a.name)
	}
	return a, nil
}

// callField takes the number of records that a function is about.
func (g *grammar) callField(a *aggregate, shape shape, n *ast.CallNode, args *[]ast.Node) error {
	if !shape.field {
		return nil
	}
	if len(*args) == 0 {
		return g.src.invalid(n.Location().From, "`%s` needs a field and a window: write `%s`", a.fn, shape.usage)
	}
	id, ok := (*args)[0].(*ast.IdentifierNode)
	if ok {
		if field, known := recordNumbers[id.Value]; known && field.unit != unitLevel && field.unit != unitStatus && id.Value != "release" {
			a.get, a.unit = field.get, field.unit
			*args = (*args)[1:]
			return nil
		}
	}
	return g.src.invalid((*args)[0].Location().From, "`%s` is no field that `%s` can be taken of: dur, queue, cpu_ms, db_ms, bytes, cpu, mem, disk and swap are", describeNode((*args)[0]), a.fn)
}

// callRest takes the condition on records and the window, in either order.
func (g *grammar) callRest(a *aggregate, shape shape, n *ast.CallNode, args []ast.Node) error {
	windowed := shape.free
	for _, arg := range args {
		if text, ok := arg.(*ast.StringNode); ok {
			d, err := parseWindow(text.Value)
			if err != "" {
				return g.src.invalid(arg.Location().From, "`%s` is no window: %s", cut(text.Value, 20), err)
			}
			a.window, windowed = d, true
			continue
		}
		if !shape.test || a.test != nil {
			return g.src.invalid(arg.Location().From, "`%s` has one argument too many: write `%s`", a.fn, shape.usage)
		}
		test, err := g.predicate(arg, false)
		if err != nil {
			return err
		}
		a.test = test
	}
	if !windowed {
		return g.src.invalid(n.Location().From, "`%s` needs a window in quotes: write `%s`", a.fn, shape.usage)
	}
	if shape.needsTest && a.test == nil {
		return g.src.invalid(n.Location().From, "`%s` needs a condition on records: write `%s`", a.fn, shape.usage)
	}
	return nil
}

// parseWindow reads a window; the reason is empty where it is one.
func parseWindow(text string) (d time.Duration, reason string) {
	d, err := parseFor(strings.TrimSpace(text))
	switch {
	case err != nil:
		return 0, `write it as "30s", "5m" or "1h"`
	case d < minWindow || d > maxWindow:
		return 0, `10 s to 1 h can be looked at`
	}
	return d, ""
}

// kindsOf returns the kinds of record that an aggregate looks at.
func kindsOf(a *aggregate) []record.Kind {
	switch {
	case a.get != nil && a.unit == unitPercent:
		return []record.Kind{record.KindSample}
	case a.fn == "oom":
		a.test = func(r *record.Record) bool { return eventOf(r) == "oom_killed" }
		return []record.Kind{record.KindEvent}
	case a.get != nil, a.fn == "rate" && a.test == nil, a.fn == "error_rate":
		return []record.Kind{record.KindRequest}
	case a.fn == "nodata" && a.test == nil:
		return []record.Kind{record.KindRequest, record.KindLog}
	}
	return []record.Kind{record.KindRequest, record.KindLog, record.KindEvent}
}

// calledName returns the name of the function that a node calls, "" for none.
func calledName(n *ast.CallNode) string {
	id, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return ""
	}
	return strings.TrimPrefix(id.Value, callMark)
}

// callUnit returns the unit of what a call gives.
func callUnit(n *ast.CallNode) unit {
	shape := functions[calledName(n)]
	if shape.field && len(n.Arguments) > 0 {
		if id, ok := n.Arguments[0].(*ast.IdentifierNode); ok {
			return recordNumbers[id.Value].unit
		}
	}
	return shape.unit
}

// callText writes a call as messages show it, the window as a person would say
// it: p95(dur, 5 min).
func callText(n *ast.CallNode, units map[int]unit) string {
	said := make([]string, len(n.Arguments))
	for i, arg := range n.Arguments {
		said[i] = argumentText(arg, units)
	}
	return calledName(n) + "(" + strings.Join(said, ", ") + ")"
}

func argumentText(n ast.Node, units map[int]unit) string {
	if text, ok := n.(*ast.StringNode); ok {
		if d, bad := parseWindow(text.Value); bad == "" {
			return spell(d)
		}
		return `"` + text.Value + `"`
	}
	return (&writer{units: units}).node(n, unitNone, 0)
}
