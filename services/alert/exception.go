package alert

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// maxKinds bounds the kinds of exception that are remembered of an app; what
// comes after is not new to anybody.
const maxKinds = 1000

// kinds remembers of each app when each kind of exception came first.
type kinds struct {
	first map[appKey]map[string]time.Time
	fresh []newKind // not in the table yet
}

type newKind struct {
	key  appKey
	kind string
	at   time.Time
}

var innermostFrame = regexp.MustCompile(`(?m)^\s*File "([^"]+)", line \d+, in (\S+)`)

// kindOf names the kind of an exception: its type, and the file and function
// where it was raised. Line numbers and messages change; they are left out.
func kindOf(trace string) string {
	lines := strings.Split(strings.TrimSpace(trace), "\n")
	last := lines[len(lines)-1]
	for i := len(lines) - 1; i > 0 && (strings.HasPrefix(last, " ") || last == ""); i-- {
		last = lines[i-1]
	}
	name, _, _ := strings.Cut(last, ":")
	kind := plain(name, 100)
	if frames := innermostFrame.FindAllStringSubmatch(trace, -1); len(frames) > 0 {
		frame := frames[len(frames)-1]
		kind += " in " + plain(frame[1], 150) + ", " + plain(frame[2], 100)
	}
	return kind
}

// see notes an exception of an app.
func (k *kinds) see(key appKey, trace string, at time.Time) {
	kind := kindOf(trace)
	known := k.first[key]
	if _, ok := known[kind]; ok || len(known) >= maxKinds {
		return
	}
	key = appKey{strings.Clone(key.tenant), strings.Clone(key.app)} // it lies in the memory of a batch
	if known == nil {
		known = map[string]time.Time{}
		k.first[key] = known
	}
	known[kind] = at
	k.fresh = append(k.fresh, newKind{key, kind, at})
}

// since counts the kinds of an app that came first after a time.
func (k *kinds) since(key appKey, after, until time.Time) (n int) {
	for _, at := range k.first[key] {
		if at.After(after) && !at.After(until) {
			n++
		}
	}
	return n
}

// load reads what is known.
func (k *kinds) load(ctx context.Context, db interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}) error {
	k.first = map[appKey]map[string]time.Time{}
	rows, err := db.Query(ctx, "SELECT tenant, app, kind, first_at FROM alert_exceptions")
	if err != nil {
		return fmt.Errorf("reading the kinds of exception: %w", err)
	}
	var (
		key  appKey
		kind string
		at   time.Time
	)
	_, err = pgx.ForEachRow(rows, []any{&key.tenant, &key.app, &kind, &at}, func() error {
		if k.first[key] == nil {
			k.first[key] = map[string]time.Time{}
		}
		k.first[key][kind] = at
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading the kinds of exception: %w", err)
	}
	return nil
}

// store writes what is new, for apps that exist.
func (k *kinds) store(ctx context.Context, tx pgx.Tx) error {
	for _, n := range k.fresh {
		if _, err := tx.Exec(ctx, `INSERT INTO alert_exceptions (tenant, app, kind, first_at)
			SELECT tenant, name, $3, $4 FROM apps WHERE tenant = $1 AND name = $2 ON CONFLICT DO NOTHING`,
			n.key.tenant, n.key.app, n.kind, n.at); err != nil {
			return fmt.Errorf("noting a new kind of exception: %w", err)
		}
	}
	return nil
}
