package alert

import (
	"errors"
	"strings"
	"testing"

	"kurama/internal/config"
	"kurama/internal/postgres/pgtest"
	"kurama/paas"
)

func TestRules(t *testing.T) {
	pool := pgtest.New(t)
	for _, sql := range []string{"INSERT INTO tenants (name) VALUES ('default'), ('other') ON CONFLICT DO NOTHING",
		"INSERT INTO apps (tenant, name) VALUES ('default','hello'), ('other','hello')"} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	rules, ctx := NewRules(pool, config.Default().Alert, config.Default().SMTP, "http://localhost:5001"), t.Context()
	good := Rule{Tenant: "default", App: "hello", Condition: "cpu > 90 for 1m", Receiver: "ann@example.org", CreatedBy: "ann"}
	added, err := rules.Add(ctx, good)
	if err != nil || added.Condition != "cpu > 90" || added.For != 60 || added.State != "ok" || added.ID == "" {
		t.Fatalf("%+v, %v", added, err)
	}
	t.Run("what cannot be stored is refused in a sentence", func(t *testing.T) {
		for want, edit := range map[string]func(*Rule){
			"There is no figure called `foo`":                      func(r *Rule) { r.Condition = "foo > 1" },
			`"nobody" is neither an e-mail address`:                func(r *Rule) { r.Receiver = "nobody" },
			`"a@b.c, d@e.f" is neither`:                            func(r *Rule) { r.Receiver = "a@b.c, d@e.f" },
			"says `for 1 min` and the duration":                    func(r *Rule) { r.For = 30 },
			"cannot wait for -1 s":                                 func(r *Rule) { r.Condition, r.For = "cpu > 1", -1 },
			"is neither an e-mail address nor a webhook: write it": func(r *Rule) { r.Receiver = "a@b.c\r\nBcc: d@e.f" },
		} {
			r := good
			edit(&r)
			_, err := rules.Add(ctx, r)
			var invalid *paas.Invalid
			if !errors.As(err, &invalid) || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		}
	})
	t.Run("an app that is not there is not found", func(t *testing.T) {
		r := good
		r.App = "missing"
		if _, err := rules.Add(ctx, r); !errors.Is(err, paas.ErrNotFound) {
			t.Error(err)
		}
	})
	t.Run("another tenant sees, tests and removes nothing", func(t *testing.T) {
		if list, err := rules.List(ctx, "other", "hello"); err != nil || len(list) != 0 {
			t.Error(list, err)
		}
		if err := rules.Test(ctx, "other", "hello", added.ID); !errors.Is(err, paas.ErrNotFound) {
			t.Error(err)
		}
		if err := rules.Remove(ctx, "other", "hello", added.ID); !errors.Is(err, paas.ErrNotFound) {
			t.Error(err)
		}
		if err := rules.Remove(ctx, "default", "hello", "no-uuid"); !errors.Is(err, paas.ErrNotFound) {
			t.Error(err)
		}
	})
	t.Run("tests are bounded", func(t *testing.T) {
		for range maxTests {
			if err := rules.Test(ctx, "default", "hello", added.ID); err != nil {
				t.Fatal(err)
			}
		}
		var invalid *paas.Invalid
		if err := rules.Test(ctx, "default", "hello", added.ID); !errors.As(err, &invalid) {
			t.Error(err)
		}
		list, err := rules.Notifications(ctx, "default", "hello", 3)
		if err != nil || len(list) != 3 || list[0].Kind != "test" || list[0].Recipient != "ann@example.org" {
			t.Error(list, err)
		}
	})
	if err := rules.Remove(ctx, "default", "hello", added.ID); err != nil {
		t.Error(err)
	}
}
