package build

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"kurama/paas"
)

func TestCheckSyntax(t *testing.T) {
	b := newBuilder(t, nil)
	web := paas.Start{Command: []string{"python3", "-m", "gunicorn", "--chdir", "/app", "shop:create_app()"}}
	check := func(t *testing.T, start paas.Start, files map[string]string) (warnings []string, reason string) {
		t.Helper()
		warnings, err := b.CheckSyntax(t.Context(), write(t, t.TempDir(), files), start)
		if bad, ok := errors.AsType[*paas.Invalid](err); ok {
			return warnings, bad.Reason
		}
		if err != nil {
			t.Fatal(err)
		}
		return warnings, ""
	}
	checkers := func(t *testing.T) int {
		t.Helper()
		own := filters.NewArgs(filters.Arg("label", "kurama.instance="+b.opts.Instance))
		found, err := b.opts.Docker.ContainerList(context.WithoutCancel(t.Context()), container.ListOptions{All: true, Filters: own})
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	until := func(t *testing.T, what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s did not come to be", what)
			}
		}
	}
	t.Cleanup(func() { until(t, "the end of the checkers", func() bool { return checkers(t) == 0 }) })

	t.Run("refuses what the start imports, with file, line and place", func(t *testing.T) {
		_, reason := check(t, web, map[string]string{
			"shop/__init__.py": "from flask import Flask\n\ndef create_app():\n    return Flask(__name__)\n\nfrom . import views\n",
			"shop/views.py":    "import os\n\nif os.name:\n    def view(:\n        pass\n", "old/tool.py": "print 'x'\n"})
		want := "`shop/views.py`, line 4: SyntaxError: invalid syntax.\n    def view(:\n             ^\nThe start imports this file, so the app cannot run. Mend it and deploy again."
		if reason != want {
			t.Errorf("got  %q\nwant %q", reason, want)
		}
	})
	t.Run("warns of what the start does not import by itself", func(t *testing.T) {
		warnings, reason := check(t, web, map[string]string{
			"shop/__init__.py": "try:\n    from . import fast\nexcept Exception:\n    pass\nif False:\n    from . import late\ndef create_app(): from . import late\n",
			"shop/fast.py":     "x = (\n", "shop/late.py": "return\n", "shop/good.py": "# -*- coding: latin-1 -*-\nx = '\xe9'\n"})
		if reason != "" || len(warnings) != 3 || warnings[0] != "Warning: `shop/fast.py`, line 1: SyntaxError: '(' was never closed.\n    x = (\n        ^" ||
			!strings.HasPrefix(warnings[1], "Warning: `shop/late.py`, line 1: SyntaxError: 'return' outside function.") || !strings.HasPrefix(warnings[2], "Warning: 2 files ") {
			t.Errorf("got %q, %q", warnings, reason)
		}
	})
	t.Run("runs nothing, and refuses nothing that it cannot judge", func(t *testing.T) {
		warnings, reason := check(t, web, map[string]string{"shop.py": "raise SystemExit\n", "deep.py": strings.Repeat("(", 5000), "wide.py": "x = " + strings.Repeat("-", 500_000) + "1"})
		if reason != "" || strings.Contains(strings.Join(warnings, ""), "shop.py") {
			t.Errorf("got %q, %q", warnings, reason)
		}
	})
	t.Run("uses a container that waits, which ends with its keeper", func(t *testing.T) {
		until(t, "no checker", func() bool { return checkers(t) == 0 })
		ctx, stop := context.WithCancel(t.Context())
		var keeping sync.WaitGroup
		keeping.Go(func() { b.KeepChecker(ctx) })
		c := <-b.checkers
		answer, err := b.put(t.Context(), c, []byte("{\"entry\":\"app\",\"paths\":[\"\"],\"files\":{\"app.py\":\"KA==\"}}\n"))
		if err != nil || !strings.Contains(string(answer), `"certain": true`) {
			t.Errorf("got %s, %v", answer, err)
		}
		stop()
		keeping.Wait()
	})
}

func TestEntry(t *testing.T) {
	f := func(want string, shell bool, command ...string) {
		t.Helper()
		if got := entryOf(paas.Start{Command: command, Shell: shell}); got != want {
			t.Errorf("%q: %q", command, got)
		}
	}
	f("shop", false, "python3", "-m", "gunicorn", "--bind", "0.0.0.0:8000", "shop:create_app()")
	f("shop.web", true, "gunicorn -w 2 -b 0.0.0.0:$PORT shop.web:app --log-file -")
	f("run.py", true, "python ./run.py --port $PORT")
	f("app", true, "python3 migrate.sh && gunicorn app:app")
	f("", true, "gunicorn old:app || gunicorn new:app")
	f("", true, "cd shop; python app.py")
	f("", true, "gunicorn --chdir shop app:app")
	f("", true, "flask run --port $PORT")
	f("", true, "uvicorn app:app")
}
