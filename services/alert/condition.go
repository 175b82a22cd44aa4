package alert

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"kurama/paas"
)

// Bounds of a condition.
const (
	maxText = 300            // bytes
	maxFor  = 24 * time.Hour // longest for-duration
)

// Condition is a compiled condition. It is safe for concurrent use.
type Condition struct {
	Text string        // as written, without the for-suffix
	For  time.Duration // how long it must hold before it fires; 0: at once

	tree     ast.Node
	units    map[int]unit // of the literals that were written with one, by position in the tree's source
	names    []string     // figures used, in order of appearance
	calls    []*aggregate // those of them that are measured over a window of their own
	program  *vm.Program
	subject  string  // the figure of the first plain comparison: what the chart shows
	limit    float64 // its limit
	hasLimit bool
}

var forSuffix = regexp.MustCompile(`(?i)\s+for\s+(\S.*?)\s*$`)

// Compile reads a condition: comparisons of figures, joined by and, or, not:
//
//	cpu > 90
//	cpu > 90 for 1m
//	mem >= 80 and cpu > 50
//	error_rate > 5%
//	p95 > 1.5s or status >= 500
//	level >= ERROR
//
// Figures: cpu, mem, disk, swap (percent; the highest of the replicas' last
// samples, not older than 5 s), replicas, inflight, and over the last 60 s
// requests, rate (requests/s), error_rate (percent of status 500 and above),
// p50, p95, p99 (ms), status (highest), level (highest). A number may carry
// its unit: %, ms, s, /s. A comparison with a figure that is not known does
// not hold, nor does its negation. Calls such as p95(dur, "5m"), rate("1m"),
// count(level >= ERROR, "5m"), nodata("5m"), new_exception() and oom() look at
// a window of their own, of 10 s to 1 h.
//
// The suffix `for DURATION` (10s, 1m, 1h30m, "5 minutes"; 24 h at the most) is
// taken out of the text and returned in For. Errors are *paas.Invalid: a
// sentence with the character (counted from 1) and what is allowed.
func Compile(text string) (*Condition, error) {
	if err := checkText(text, allowed()); err != nil {
		return nil, err
	}
	c := &Condition{Text: strings.TrimSpace(text)}
	if m := forSuffix.FindStringSubmatchIndex(c.Text); m != nil {
		d, err := parseFor(c.Text[m[2]:m[3]])
		if err != nil {
			return nil, err
		}
		c.Text, c.For = strings.TrimSpace(c.Text[:m[0]]), d
	}
	src, err := readUnits(c.Text, allowed())
	if err != nil {
		return nil, err
	}
	tree, err := parser.Parse(src.text)
	if err != nil {
		return nil, src.syntaxError(err)
	}
	g := grammar{src: src}
	if err := g.condition(tree.Node); err != nil {
		return nil, err
	}
	c.tree, c.units, c.names, c.calls = tree.Node, src.units, g.names, g.calls
	c.subject, c.limit, c.hasLimit = g.subject, g.limit, g.hasLimit
	if c.program, err = g.compile(tree.Node); err != nil {
		return nil, &paas.Invalid{Reason: fmt.Sprintf("The condition `%s` cannot be checked: %v. %s", c.Text, err, allowed())}
	}
	return c, nil
}

// checkText refuses what no condition looks like before it meets a parser.
func checkText(text, allowed string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return &paas.Invalid{Reason: "The condition is empty: write one, for example `cpu > 90 for 1m`. " + allowed}
	case len(text) > maxText:
		return &paas.Invalid{Reason: fmt.Sprintf("The condition has %d characters, and %d is the most: make several alerts of it.", len(text), maxText)}
	case !utf8.ValidString(text):
		return &paas.Invalid{Reason: "The condition is not valid UTF-8: type it again."}
	}
	for i, r := range []rune(text) {
		if unicode.IsControl(r) {
			return &paas.Invalid{Reason: fmt.Sprintf("The condition holds a control character (%U) at character %d: write it on one line.", r, i+1)}
		}
	}
	return nil
}

// syntaxError turns an error of the parser into a sentence about the text that
// the user wrote.
func (s *source) syntaxError(err error) error {
	var at *file.Error
	if !errors.As(err, &at) {
		return &paas.Invalid{Reason: fmt.Sprintf("The condition `%s` cannot be read: %v. %s", s.written, err, s.allowed)}
	}
	message := at.Message
	if strings.Contains(message, "EOF") {
		message = "it ends too early"
	}
	return s.invalid(at.From, "The condition `%s` cannot be read: %s", s.written, message)
}

// compile builds the program that decides the checked tree. The tree is
// first brought into a form without negation, in which a comparison with an
// unknown figure (NaN) is false and can never make the whole true.
func (g *grammar) compile(tree ast.Node) (*vm.Program, error) {
	env := make(map[string]any, 2*len(g.names)+len(levels))
	for _, name := range g.names {
		env[name], env[variableOf(g.names, name)] = 0.0, 0.0
	}
	for name, l := range levels {
		env[name] = float64(l)
	}
	return expr.Compile(g.positive(tree, false), expr.Env(env), expr.AsBool(), expr.DisableAllBuiltins(), expr.MaxNodes(1000))
}

// Holds reports whether the condition holds for f. What f does not know makes
// no comparison true.
func (c *Condition) Holds(f Figures) bool {
	env := make(map[string]any, len(c.names)+len(levels))
	for _, name := range c.names {
		v, ok := f[name]
		if !ok {
			v = math.NaN()
		}
		env[name], env[variableOf(c.names, name)] = v, v
	}
	for name, l := range levels {
		env[name] = float64(l)
	}
	out, err := expr.Run(c.program, env)
	holds, ok := out.(bool)
	return err == nil && ok && holds
}

// unitOf returns the unit of a figure that the condition uses.
func (c *Condition) unitOf(name string) unit {
	for _, call := range c.calls {
		if call.name == name {
			return call.unit
		}
	}
	u, _ := figureUnit(name)
	return u
}

// longest returns the longest window of the condition's calls.
func (c *Condition) longest() (d time.Duration) {
	for _, call := range c.calls {
		d = max(d, call.window)
	}
	return d
}

// Names returns the figures that the condition uses, in order of appearance.
func (c *Condition) Names() []string { return c.names }
