package profile

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"kurama/internal/postgres/pgtest"
	"kurama/logship/record"
)

func TestStacksAreMergedByRouteAndPeriod(t *testing.T) {
	pool, now := pgtest.New(t), time.Now()
	add := func(tenant, route string, release int, ago time.Duration, extra string) {
		t.Helper()
		_, err := pool.Exec(t.Context(), `INSERT INTO records (ts, id, seq, release, kind, level, tenant, app, replica, method, route, msg, extra)
			VALUES ($1, gen_random_uuid(), 1, $2, $3, 20, $4, 'shop', 'r', 'GET', $5, '', $6)`, now.Add(-ago), release, int(record.KindProfile), tenant, route, extra)
		if err != nil {
			t.Fatal(err)
		}
	}
	add("acme", "/a", 1, time.Minute, `{"dropped":1,"frames":["f","g"],"nodes":[[-1,0],[0,1,3,60.5]]}`)
	add("acme", "/a", 1, 2*time.Minute, `{"frames":["g","f","h"],"nodes":[[-1,1,1,20],[0,0,1,20],[0,2,2,40]]}`)
	add("acme", "/b", 2, time.Minute, `{"frames":["f"],"nodes":[[-1,0,100,2000]]}`)
	add("acme", "/a", 2, 2*time.Hour, `{"frames":["old"],"nodes":[[-1,0,1,20]]}`)
	add("acme", "/a", 1, time.Minute, `{"frames":["f"],"nodes":[[0,0,1,20]]}`) // its own parent: made up
	add("other", "/a", 1, time.Minute, `{"frames":["secret"],"nodes":[[-1,0,1,20]]}`)
	q := NewQuery(pool)
	ask := func(of StackQuery) *Stacks {
		t.Helper()
		of.Tenant, of.App, of.To = "acme", "shop", now
		if of.From.IsZero() {
			of.From = now.Add(-time.Hour)
		}
		s, err := q.Stacks(t.Context(), of)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := ask(StackQuery{Route: "/a"})
	got := map[string]string{}
	for _, n := range s.Nodes {
		name := s.Frames[n.Frame]
		for p := n.Parent; p >= 0; p = s.Nodes[p].Parent {
			name = s.Frames[s.Nodes[p].Frame] + ";" + name
		}
		got[name] = fmt.Sprint(n.Samples, " ", n.Ms)
	}
	if want := map[string]string{"f": "1 20", "f;g": "4 80.5", "f;h": "2 40"}; !reflect.DeepEqual(got, want) || s.Samples != 7 || s.Dropped != 1 {
		t.Errorf("%v, %d samples, %d dropped", got, s.Samples, s.Dropped)
	}
	if want := []SampledRoute{{"GET", "/b", 100, 2000}, {"GET", "/a", 7, 140.5}}; !reflect.DeepEqual(s.Routes, want) {
		t.Errorf("routes %+v", s.Routes)
	}
	if s := ask(StackQuery{Release: 2}); s.Samples != 100 || len(s.Routes) != 1 {
		t.Errorf("release 2: %+v", s)
	}
	if s := ask(StackQuery{From: now.Add(-24 * time.Hour), Release: 2}); s.Samples != 101 {
		t.Errorf("release 2 of a day: %+v", s)
	}
	if s := ask(StackQuery{Method: "POST"}); s.Samples != 0 || len(s.Routes) != 2 {
		t.Errorf("POST: %+v", s)
	}
}

func FuzzStacks(f *testing.F) {
	f.Add([]byte(`{"hz":50,"dropped":1,"frames":["f","g"],"nodes":[[-1,0],[0,1,3,60.5]]}`))
	f.Add([]byte(`{"frames":["f"],"nodes":[[0,0,1,1e300]]}`))
	f.Add([]byte(`{"nodes":[[-1,0,1]]}`))
	f.Fuzz(func(t *testing.T, extra []byte) {
		s, err := parseStacks(extra)
		if err != nil {
			return
		}
		all := &Stacks{frames: map[string]int{}, nodes: map[[2]int]int{}}
		all.merge(s)
		all.merge(s)
		var samples int64
		for i, n := range all.Nodes {
			if n.Parent >= i || n.Frame >= len(all.Frames) || n.Samples < 0 || n.Ms < 0 {
				t.Fatalf("node %d: %+v", i, n)
			}
			samples += n.Samples
		}
		if samples != all.Samples {
			t.Errorf("%d samples, but the nodes have %d", all.Samples, samples)
		}
	})
}
