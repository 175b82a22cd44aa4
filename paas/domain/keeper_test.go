package domain_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kurama/internal/config"
	"kurama/internal/postgres"
	"kurama/internal/postgres/pgtest"
	"kurama/paas"
	"kurama/paas/domain"
	"kurama/paas/store"
)

// zones stand for the name servers of the world.
type zones struct {
	texts  map[string][]string
	cnames map[string]string
	broken error                       // of all answers
	wait   func(context.Context) error // before an answer; nil: nothing
}

func (z *zones) LookupTXT(ctx context.Context, name string) ([]string, error) {
	if z.wait != nil {
		if err := z.wait(ctx); err != nil {
			return nil, err
		}
	}
	if z.broken != nil {
		return nil, z.broken
	}
	if texts, ok := z.texts[name]; ok {
		return texts, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (z *zones) LookupCNAME(_ context.Context, host string) (string, error) {
	if z.broken != nil {
		return "", z.broken
	}
	if to, ok := z.cnames[host]; ok {
		return to, nil
	}
	return host + ".", nil // it has an address of its own
}

type setup struct {
	t     *testing.T
	store *store.Store
	zones *zones
	*domain.Keeper
}

func newSetup(t *testing.T, check bool) *setup {
	pool, err := postgres.Open(t.Context(), pgtest.DSN(t), 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s := &setup{t: t, store: store.New(pool), zones: &zones{texts: map[string][]string{}, cnames: map[string]string{}}}
	for _, tenant := range []string{"ann", "eve"} {
		if _, err := pool.Exec(t.Context(), `INSERT INTO tenants (name) VALUES ($1)`, tenant); err != nil {
			t.Fatal(err)
		}
		for _, app := range []string{"shop", "blog"} {
			if _, err := s.store.CreateApp(t.Context(), tenant, app); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.Keeper = domain.New(config.Domains{Check: check, Interval: time.Millisecond}, "apps.example", "k3f9a2b1", s.store, s.zones, slog.New(slog.DiscardHandler))
	return s
}

// ask lets an app ask for domains, and returns those that lead to it and what
// is said of the others.
func (s *setup) ask(tenant, app string, names ...string) (active []string, says string) {
	s.t.Helper()
	if err := s.store.SetRouting(s.t.Context(), tenant, app, paas.Routing{Domains: names}); err != nil {
		s.t.Fatal(err)
	}
	found, err := s.Check(s.t.Context(), tenant, app)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, d := range found {
		says += d.Says
	}
	a, err := s.store.App(s.t.Context(), tenant, app)
	if err != nil {
		s.t.Fatal(err)
	}
	return a.Routing.Active, says
}

func (s *setup) want(active []string, says string, names int, word string) {
	s.t.Helper()
	if len(active) != names || !strings.Contains(says, word) {
		s.t.Errorf("active %q, says %q; want %d, and %q", active, says, names, word)
	}
}

func TestDomainsAreTheirOwners(t *testing.T) {
	const host, record = "shop.example.org", "_kurama.shop.example.org"
	t.Run("a stranger gets none, and is told the record that would show it", func(t *testing.T) {
		s := newSetup(t, true)
		active, says := s.ask("eve", "shop", host, host+"/pay")
		s.want(active, says, 0, "Add the DNS record `_kurama.shop.example.org TXT kurama=eve@k3f9a2b1`, or make shop.example.org a CNAME of shop.eve.apps.example.")
	})
	t.Run("a record of the zone shows it, for paths below the host, too", func(t *testing.T) {
		s := newSetup(t, true)
		s.zones.texts[record] = []string{"v=spf1 -all", "kurama=ann@k3f9a2b1"}
		active, says := s.ask("ann", "shop", host, host+"/pay")
		s.want(active, says, 2, "")
	})
	t.Run("a CNAME of an app of the tenant shows it, one of another's does not", func(t *testing.T) {
		s := newSetup(t, true)
		s.zones.cnames[host] = "blog.ann.apps.example."
		active, says := s.ask("ann", "shop", host)
		s.want(active, says, 1, "")
		active, says = s.ask("eve", "shop", host)
		s.want(active, says, 0, "The DNS does not show yet")
		for _, near := range []string{"ann.apps.example.", "a.blog.ann.apps.example.", "blog.annapps.example.", "blog.ann.apps.example.evil."} {
			s.zones.cnames["x.example.org"] = near
			if active, _ := s.ask("ann", "blog", "x.example.org"); len(active) != 0 {
				t.Errorf("%s counts", near)
			}
		}
	})
	t.Run("who has it keeps it while the zone says so, and loses it to the next owner after", func(t *testing.T) {
		s := newSetup(t, true)
		s.zones.texts[record] = []string{"kurama=ann@k3f9a2b1"}
		s.ask("ann", "shop", host)
		s.zones.texts[record] = []string{"kurama=ann@k3f9a2b1", "kurama=eve@k3f9a2b1"}
		active, says := s.ask("eve", "shop", host)
		s.want(active, says, 0, "belongs to another tenant")
		s.zones.texts[record] = []string{"kurama=eve@k3f9a2b1"}
		active, says = s.ask("eve", "shop", host)
		s.want(active, says, 1, "")
		if a, _ := s.store.App(t.Context(), "ann", "shop"); len(a.Routing.Active) != 0 {
			t.Errorf("it leads to both: %q", a.Routing.Active)
		}
	})
	t.Run("name servers that do not answer give and take nothing", func(t *testing.T) {
		s := newSetup(t, true)
		s.zones.texts[record] = []string{"kurama=ann@k3f9a2b1"}
		s.ask("ann", "shop", host)
		s.zones.broken = errors.New("i/o timeout")
		active, says := s.ask("eve", "shop", host)
		s.want(active, says, 0, "did not answer: i/o timeout")
		active, _ = s.ask("ann", "shop", host)
		s.want(active, "", 1, "")
	})
	t.Run("another app of the tenant has to give it up first", func(t *testing.T) {
		s := newSetup(t, true)
		s.zones.texts[record] = []string{"kurama=ann@k3f9a2b1"}
		s.ask("ann", "shop", host)
		active, says := s.ask("ann", "blog", host, host+"/blog")
		s.want(active, says, 1, "leads to your app shop")
	})
	t.Run("unchecked, whoever asks first has the host with all its paths", func(t *testing.T) {
		s := newSetup(t, false)
		active, says := s.ask("ann", "shop", host)
		s.want(active, says, 1, "")
		active, says = s.ask("eve", "shop", host+"/pay")
		s.want(active, says, 0, "belongs to another tenant")
	})
	t.Run("slow name servers are asked at the same time, and no tenant keeps the others waiting", func(t *testing.T) {
		s := newSetup(t, true)
		var asked atomic.Int64
		all := make(chan struct{})
		s.zones.wait = func(ctx context.Context) error {
			if asked.Add(1) == 5 {
				close(all)
			}
			select {
			case <-all:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		_, says := s.ask("ann", "shop", "a.example.org", "b.example.org", "c.example.org", "d.example.org", "e.example.org")
		if strings.Count(says, "The DNS does not show yet") != 5 {
			t.Errorf("says %q", says)
		}
		s.zones.wait = nil
		s.ask("eve", "shop", "f.example.org", "g.example.org")
		pending, err := s.store.PendingDomains(t.Context(), 4)
		var of []string
		for _, d := range pending {
			of = append(of, d.Tenant)
		}
		if slices.Sort(of); err != nil || !slices.Equal(of, []string{"ann", "ann", "eve", "eve"}) {
			t.Errorf("first come those of %v, %v", of, err)
		}
	})
	t.Run("it is looked for again by itself", func(t *testing.T) {
		s := newSetup(t, true)
		s.ask("ann", "shop", host)
		s.zones.texts[record] = []string{"kurama=ann@k3f9a2b1"}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			if a, err := s.store.App(t.Context(), "ann", "shop"); err != nil || len(a.Routing.Active) == 1 {
				break
			}
			if time.Now().After(end) {
				t.Fatal("not found within 10 s")
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
