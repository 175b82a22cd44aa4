package git

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kurama/internal/config"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newRepositories(t *testing.T, max config.Bytes) *Repositories {
	t.Helper()
	cfg, dir := config.Default().Git, t.TempDir()
	cfg.Max = max
	r, err := New(cfg, Options{Releases: filepath.Join(dir, "releases"), Temp: dir, Hooks: filepath.Join(dir, "hooks"), SourceMax: config.MiB, Entries: 10, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	return r
}

// commits makes n commits on main, each in a pack of its own, with bytes that do
// not pack well.
func commits(t *testing.T, r *Repositories, repo string, n int) {
	t.Helper()
	parent := ""
	for i := range n {
		var noise strings.Builder
		for j := range 200 {
			fmt.Fprintf(&noise, "%x", uint64(i*200+j+1)*0x9E3779B97F4A7C15)
		}
		stream := fmt.Sprintf("commit refs/heads/main\ncommitter A <a@b.c> %d +0000\ndata 1\nx\n%sM 100644 inline f\ndata %d\n%s\n", i+1, parent, noise.Len(), noise.String())
		parent = "from refs/heads/main^0\n"
		cmd := r.command(t.Context(), repo, nil, "-c", "fastimport.unpackLimit=0", "fast-import", "--quiet")
		cmd.Stdin = strings.NewReader(stream)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
}

func TestTidy(t *testing.T) {
	k := key{"default", "shop"}
	t.Run("packs anew what has many packs, and keeps it", func(t *testing.T) {
		r := newRepositories(t, config.MiB)
		repo, err := r.open(t.Context(), k)
		must(t, err)
		commits(t, r, repo, maxPacks+1)
		must(t, os.Mkdir(filepath.Join(repo, "objects/tmp_objdir-incoming-x"), 0o700))
		_, err = r.open(t.Context(), k) // the next push finds what a crash left
		must(t, err)
		must(t, r.tidy(t.Context(), k))
		if _, packs := size(repo); packs != 1 {
			t.Errorf("%d packs", packs)
		}
		if left, _ := filepath.Glob(filepath.Join(repo, "objects/tmp_objdir*")); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
		if out, err := r.run(t.Context(), repo, nil, "rev-list", "--count", "main"); strings.TrimSpace(out) != fmt.Sprint(maxPacks+1) {
			t.Errorf("%s commits: %v", out, err)
		}
	})
	t.Run("gives up what is too large", func(t *testing.T) {
		r := newRepositories(t, 2*config.KiB)
		repo, err := r.open(t.Context(), k)
		must(t, err)
		commits(t, r, repo, 2)
		must(t, r.tidy(t.Context(), k))
		if _, err := os.Stat(filepath.Join(r.opts.Releases, "default")); err == nil {
			t.Error("it is still there")
		}
		var refs bytes.Buffer
		if must(t, r.Advertise(t.Context(), k.tenant, k.app, &refs)); !strings.Contains(refs.String(), "capabilities^{}") {
			t.Errorf("got %q", refs.String())
		}
	})
}

func FuzzReadRequest(f *testing.F) {
	id := strings.Repeat("a", 40)
	f.Add([]byte(packet(id+" "+id+" refs/heads/main\x00 report-status side-band-64k\n") + packet("shallow "+id) + "0000PACK"))
	f.Add([]byte("0000"))
	f.Add([]byte("0003x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := readRequest(bytes.NewReader(data))
		if err != nil {
			return
		}
		var again strings.Builder
		must(t, r.refuse(&again, "no"))
		for _, c := range r.commands {
			if !isID(c.after) || !strings.HasPrefix(c.ref, "refs/") {
				t.Errorf("%q is a command", c)
			}
		}
		in := bufio.NewReader(strings.NewReader(again.String()))
		if _, err := readPacket(in); err != nil {
			t.Errorf("the answer %q is none: %v", again.String(), err)
		}
	})
}

func FuzzParseEntry(f *testing.F) {
	f.Add("100644 blob 0123456789012345678901234567890123456789      12\tapp.py")
	f.Add("160000 commit 0123456789012345678901234567890123456789       -\tlib/theme")
	f.Fuzz(func(t *testing.T, record string) {
		if e, err := parseEntry(record); err == nil && (e.name == "" || e.size < -1 || !strings.HasSuffix(record, "\t"+e.name)) {
			t.Errorf("%q is read as %+v", record, e)
		}
	})
}
