package alert

import (
	"github.com/expr-lang/expr/parser"

	"kurama/logship/record"
)

// filterAllowed is what a condition on one record may hold.
const filterAllowed = "A record has level, status, dur, queue, cpu_ms, db_ms, bytes, release, cpu, mem, disk, swap, route, url, method, msg, exc, replica and event; " +
	"compare them with > >= < <= == !=, texts with contains startsWith endsWith matches, and join comparisons with and, or, not. " +
	"Levels are DEBUG, INFO, WARNING, ERROR, CRITICAL."

// CompileFilter reads a condition on one record, as count(…) takes it:
// `level >= ERROR and route != "/healthz"`. What the record does not have makes
// no comparison true, nor its negation. The result is safe for concurrent use.
// Errors are *paas.Invalid: a sentence with the character (counted from 1).
func CompileFilter(text string) (func(*record.Record) bool, error) {
	if err := checkText(text, filterAllowed); err != nil {
		return nil, err
	}
	src, err := readUnits(text, filterAllowed)
	if err != nil {
		return nil, err
	}
	tree, err := parser.Parse(src.text)
	if err != nil {
		return nil, src.syntaxError(err)
	}
	g := grammar{src: src}
	return g.predicate(tree.Node, false)
}
