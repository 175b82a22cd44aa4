package profile

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"kurama/logship/record"
	"kurama/paas"
)

const (
	// maxNodes bounds the tree that one question gives; what is beyond is counted as dropped.
	maxNodes = 50_000
	// maxProfiles is how many records one question reads, the newest.
	maxProfiles = 5_000
)

// StackQuery chooses samples of one app. Empty texts and 0 choose all.
type StackQuery struct {
	Tenant, App   string
	From, To      time.Time
	Method, Route string
	Release       int
}

// StackNode is one frame at one place of the stacks that were sampled. Its
// samples are those that ended in it; its callees' are theirs.
type StackNode struct {
	Parent  int     `json:"parent"` // index of an earlier node; -1: none
	Frame   int     `json:"frame"`  // index of its name
	Samples int64   `json:"samples"`
	Ms      float64 `json:"ms"` // that the samples stand for
}

// SampledRoute is a route with samples.
type SampledRoute struct {
	Method  string  `json:"method"`
	Route   string  `json:"route"` // empty: no rule matched, or none had yet
	Samples int64   `json:"samples"`
	Ms      float64 `json:"ms"`
}

// Stacks is what was sampled: a tree of frames, and the routes it is of.
type Stacks struct {
	Frames  []string // "function (file:line)"
	Nodes   []StackNode
	Routes  []SampledRoute // of the app in that time, whatever route was chosen; the most time first
	Samples int64
	Ms      float64
	Dropped int64 // samples beyond a bound

	frames map[string]int
	nodes  map[[2]int]int
}

// Stacks merges the samples that q chooses.
func (q *Query) Stacks(ctx context.Context, of StackQuery) (*Stacks, error) {
	rows, err := q.pool.Query(ctx, `SELECT COALESCE(method, ''), COALESCE(route, ''), extra FROM records
		WHERE tenant = $1 AND app = $2 AND ts >= $3 AND ts <= $4 AND kind = `+fmt.Sprint(int(record.KindProfile))+` AND ($5 = 0 OR release = $5)
		ORDER BY ts DESC LIMIT $6`, of.Tenant, of.App, of.From, of.To, of.Release, maxProfiles)
	if err != nil {
		return nil, fmt.Errorf("reading the stacks of %s/%s: %w", of.Tenant, of.App, err)
	}
	all := &Stacks{frames: map[string]int{}, nodes: map[[2]int]int{}}
	routes := map[methodRoute]*SampledRoute{}
	var mr methodRoute
	var extra pgtype.DriverBytes // valid until the next row: merged at once
	_, err = pgx.ForEachRow(rows, []any{&mr.method, &mr.route, &extra}, func() error {
		sampled, err := parseStacks(extra)
		if err != nil {
			return nil // an app can send what it likes; what is no profile counts for nothing
		}
		r := routes[mr]
		if r == nil {
			r = &SampledRoute{Method: mr.method, Route: mr.route}
			routes[mr] = r
		}
		for _, n := range sampled.Nodes {
			r.Samples, r.Ms = r.Samples+n.samples(), r.Ms+n.ms()
		}
		if (of.Route == "" || of.Route == mr.route) && (of.Method == "" || of.Method == mr.method) {
			all.merge(sampled)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the stacks of %s/%s: %w", of.Tenant, of.App, err)
	}
	for _, r := range routes {
		all.Routes = append(all.Routes, *r)
	}
	slices.SortFunc(all.Routes, func(a, b SampledRoute) int {
		return cmp.Or(cmp.Compare(b.Ms, a.Ms), cmp.Compare(a.Route, b.Route), cmp.Compare(a.Method, b.Method))
	})
	return all, nil
}

// sampledStacks is the extra of a record of kind profile, as
// sdk/python/kurama/_folded.py writes it.
type sampledStacks struct {
	Dropped int64         `json:"dropped"`
	Frames  []string      `json:"frames"`
	Nodes   []sampledNode `json:"nodes"`
}

// sampledNode is parent, frame and, where samples ended in it, their number
// and their ms.
type sampledNode []float64

func (n sampledNode) samples() int64 {
	if len(n) < 4 {
		return 0
	}
	return int64(n[2])
}

func (n sampledNode) ms() float64 {
	if len(n) < 4 {
		return 0
	}
	return n[3]
}

// maxSampled bounds a figure that an app claims: a month of ms.
const maxSampled = 30 * 24 * 3600 * 1000

// parseStacks reads and checks an extra; anything else is a *paas.Invalid.
func parseStacks(extra []byte) (*sampledStacks, error) {
	s := &sampledStacks{}
	if err := json.Unmarshal(extra, s); err != nil {
		return nil, &paas.Invalid{Reason: "This is no profile: " + err.Error()}
	}
	whole := func(v float64, least, below int) bool {
		return v == math.Trunc(v) && v >= float64(least) && v < float64(below)
	}
	for i, n := range s.Nodes {
		if len(n) != 2 && len(n) != 4 || !whole(n[0], -1, i) || !whole(n[1], 0, len(s.Frames)) ||
			len(n) == 4 && (!whole(n[2], 0, maxSampled) || n[3] < 0 || n[3] > maxSampled) {
			return nil, &paas.Invalid{Reason: fmt.Sprintf("This is no profile: node %d is %v.", i, n)}
		}
	}
	if s.Dropped < 0 || s.Dropped > maxSampled {
		return nil, &paas.Invalid{Reason: fmt.Sprintf("This is no profile: %d samples are said to be dropped.", s.Dropped)}
	}
	return s, nil
}

// merge adds what one record has.
func (s *Stacks) merge(add *sampledStacks) {
	s.Dropped += add.Dropped
	at := make([]int, len(add.Nodes)) // where each of its nodes is here; -1: beyond the bound
	for i, n := range add.Nodes {
		parent := -1
		at[i] = -1
		if n[0] >= 0 {
			if parent = at[int(n[0])]; parent < 0 {
				s.Dropped += n.samples()
				continue
			}
		}
		if at[i] = s.node(parent, add.Frames[int(n[1])]); at[i] < 0 {
			s.Dropped += n.samples()
			continue
		}
		own := &s.Nodes[at[i]]
		own.Samples, own.Ms = own.Samples+n.samples(), own.Ms+n.ms()
		s.Samples, s.Ms = s.Samples+n.samples(), s.Ms+n.ms()
	}
}

// node returns the node of a frame below parent, -1 where there are too many.
func (s *Stacks) node(parent int, frame string) int {
	f, ok := s.frames[frame]
	if !ok {
		f = len(s.Frames)
		s.frames[frame] = f
		s.Frames = append(s.Frames, frame)
	}
	key := [2]int{parent, f}
	n, ok := s.nodes[key]
	if !ok {
		if n = len(s.Nodes); n >= maxNodes {
			return -1
		}
		s.nodes[key] = n
		s.Nodes = append(s.Nodes, StackNode{Parent: parent, Frame: f})
	}
	return n
}
