// Package layout holds the arrows of the house as a test: imports go down,
// never sideways or up. It reads the import lines of the source itself, since
// the result of a test that runs `go list` would be cached and stale.
package layout

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "kurama"
)

// ground may be imported by every role.
var ground = []string{"logship/record", "logship/wire", "logship/stream", "logship/pipeline", "paas", "internal/config", "internal/health",
	"internal/schedule", "internal/turns"}

// allowed lists, for each folder, what its non-test code may import of this
// module. "…" stands for the folder's own sub-packages; cmd/kurama sees all.
var allowed = map[string][]string{
	"logship/record":           {},
	"logship/wire":             {"logship/record"},
	"logship/stream":           {"logship/record", "internal/config"},
	"logship/pipeline":         {"logship/record", "paas"},
	"paas":                     {},
	"internal/config":          {"paas"},
	"internal/client":          {"logship/record", "paas"},
	"internal/layout":          {},
	"internal/backup":          {},
	"internal/health":          {},
	"internal/schedule":        {},
	"internal/turns":           {},
	"internal/smtptest":        {},
	"internal/host":            {"internal/postgres"},
	"services/sink":            roleMay(),
	"internal/postgres":        {"internal/config", "paas"},
	"internal/postgres/pgtest": {"internal/config", "internal/postgres"},
	"internal/role":            {"internal/config"},
	"internal/bench":           roleMay("autoscaler/sim", "internal/client", "internal/postgres", "paas/router", "sdk/reqsim"),
	"logship":                  roleMay("logship/…"),
	"services/persist":         roleMay("services/sink"),
	"services/archive":         roleMay("services/sink"),
	"services/alert":           roleMay("services/alert/…"),
	"services/profile":         roleMay("services/sink"),
	"dashboard":                roleMay("dashboard/…"),
	"autoscaler":               roleMay("autoscaler/…"),
	"paas/api":                 roleMay(),
	"paas/auth":                roleMay(),
	"paas/build":               roleMay(),
	"paas/cron":                roleMay(),
	"paas/database":            roleMay(),
	"paas/disk":                roleMay(),
	"paas/domain":              roleMay(),
	"paas/git":                 roleMay(),
	"paas/deploy":              roleMay(),
	"paas/runtime":             roleMay(),
	"paas/router":              roleMay(),
	"paas/store":               roleMay(),
	"paas/store/storetest":     roleMay("paas/store"),
	"sdk/reqsim":               roleMay(),
	"sdk/python":               {},
	"web":                      {},
	"examples":                 {},
	"packaging/image":          {},
}

func roleMay(more ...string) []string {
	return append(slices.Clone(ground), more...)
}

func TestImportsGoDown(t *testing.T) {
	seen := map[string]bool{}
	for file := range sources(t) {
		dir := filepath.ToSlash(filepath.Dir(file))
		seen[dir] = true
		if strings.HasPrefix(dir, "cmd/") {
			continue
		}
		for _, imp := range imports(t, file) {
			if !mayImport(dir, imp) {
				t.Errorf("%s imports %s, which the table of docs/design.md does not allow", file, imp)
			}
		}
	}
	for dir := range allowed { // a table that outlives its folders misleads
		if !seen[dir] && dir != "internal/layout" {
			t.Logf("%s is in the table but holds no code", dir)
		}
	}
}

func mayImport(dir, imp string) bool {
	list, ok := allowed[dir]
	for parent := filepath.ToSlash(filepath.Dir(dir)); !ok && parent != "."; parent = filepath.ToSlash(filepath.Dir(parent)) {
		list, ok = allowed[parent] // a sub-package may import what its role may
	}
	return ok && slices.ContainsFunc(list, func(a string) bool {
		if below, ok := strings.CutSuffix(a, "…"); ok {
			return strings.HasPrefix(imp, below)
		}
		return imp == a
	})
}

// sources yields the module's non-test Go files, relative to its root.
func sources(t *testing.T) map[string]bool {
	t.Helper()
	files := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata" || path == filepath.Join(root, "data")) {
			return filepath.SkipDir
		}
		if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			rel, err := filepath.Rel(root, path)
			files[rel] = true
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// imports returns what file imports of this module.
func imports(t *testing.T, file string) []string {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var own []string
	for _, spec := range tree.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if rest, ok := strings.CutPrefix(path, module+"/"); ok {
			own = append(own, rest)
		}
	}
	return own
}
