package archive

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"kurama/internal/config"
	"kurama/internal/postgres/pgtest"
	"kurama/logship/record"
	"kurama/logship/stream"
	"kurama/paas"
	"kurama/services/persist"
	"kurama/services/sink"
	"kurama/services/sink/sinktest"
)

type bench struct {
	stream *stream.Stream
	cfg    config.Archive
	dir    string
	socket string
	reader *Reader
}

func setup(t testing.TB) *bench {
	t.Helper()
	dir := t.TempDir()
	b := &bench{stream: sinktest.Stream(t), cfg: config.Default().Archive, dir: filepath.Join(dir, "archive"), socket: filepath.Join(dir, "a.sock")}
	b.reader = NewReader(b.dir, b.socket, sinktest.Log())
	return b
}

func (b *bench) role(t testing.TB) *Archive {
	t.Helper()
	role, err := New(b.cfg, b.dir, b.socket, sink.Deps{Stream: b.stream, Log: sinktest.Log()})
	if err != nil {
		t.Fatal(err)
	}
	return role
}

// start runs the role until its socket answers.
func (b *bench) start(t testing.TB) (stop func()) {
	t.Helper()
	stop = sinktest.Start(t, b.role(t).Run)
	sinktest.Eventually(t, "the socket is there", func() bool {
		_, err := os.Stat(b.socket)
		return err == nil
	})
	return stop
}

func (b *bench) download(t testing.TB, req Request) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := b.reader.Download(t.Context(), &out, req); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (b *bench) verify(t testing.TB, tenant, app string) error {
	t.Helper()
	return b.reader.Verify(t.Context(), tenant, app, func(File, error) error { return nil })
}

// publish puts n records of two apps and of the host on the stream and returns
// the lines that app "shop" should have.
func (b *bench) publish(t testing.TB, n int) (want []byte) {
	t.Helper()
	for i := 0; i < n; {
		var batch []record.Record
		for range 1 + rand.IntN(20) {
			r := sinktest.Request("acme", "shop", i, time.Now())
			want = record.Append(want, &r)
			other := sinktest.Request("acme", "blog", i, time.Now())
			host := record.Record{Time: r.Time, ID: record.NewID(r.Time), Kind: record.KindSample, Replica: "host-1", CPU: record.Num(3)}
			batch = append(batch, r, other, host)
			i++
		}
		sinktest.Publish(t, b.stream, batch...)
	}
	return want
}

func TestADownloadHoldsWhatWasJustPublished(t *testing.T) {
	b := setup(t)
	b.start(t)
	want := b.publish(t, 100)
	got := b.download(t, Request{Tenant: "acme", App: "shop"})
	if !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, want %d", len(got), len(want))
	}
	list, err := b.reader.List("acme", "shop")
	if err != nil || len(list.Files) != 1 || list.Records != bytes.Count(want, []byte("\n")) {
		t.Errorf("listing %+v, error %v", list, err)
	}
	if err := b.verify(t, "acme", "shop"); err != nil {
		t.Error(err)
	}
	if host := b.download(t, Request{}); bytes.Count(host, []byte(`"replica":"host-1"`)) != list.Records {
		t.Errorf("the host's samples: %d bytes", len(host))
	}
}

func TestEveryFormatHoldsTheSameRecords(t *testing.T) {
	b := setup(t)
	stop := b.start(t)
	want := b.publish(t, 30)
	b.download(t, Request{Tenant: "acme", App: "shop"})
	want = append(want, b.publish(t, 30)...) // a second file
	unpack := map[Format]func([]byte) ([]byte, error){
		JSONL: func(p []byte) ([]byte, error) { return p, nil },
		JSON: func(p []byte) (lines []byte, err error) {
			var all []json.RawMessage
			err = json.Unmarshal(p, &all)
			for _, r := range all {
				lines = append(append(lines, r...), '\n')
			}
			return lines, err
		},
		JSONLGzip: func(p []byte) ([]byte, error) {
			zip, err := gzip.NewReader(bytes.NewReader(p))
			if err != nil {
				return nil, err
			}
			return io.ReadAll(zip)
		},
		JSONLZstd: func(p []byte) ([]byte, error) {
			dec, err := zstd.NewReader(bytes.NewReader(p))
			if err != nil {
				return nil, err
			}
			defer dec.Close()
			return io.ReadAll(dec)
		},
	}
	lines := strings.SplitAfter(strings.TrimSuffix(string(want), "\n"), "\n")
	timeOf := func(i int) time.Time {
		var r record.Record
		if err := record.Decode([]byte(lines[i]), &r); err != nil {
			t.Fatal(err)
		}
		return r.Time
	}
	from, to := timeOf(10), timeOf(45)
	for format, unpack := range unpack {
		got, err := unpack(b.download(t, Request{Tenant: "acme", App: "shop", Format: format}))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, want %d, error %v", format, len(got), len(want), err)
		}
		got, err = unpack(b.download(t, Request{Tenant: "acme", App: "shop", Format: format, From: from, To: to}))
		if err != nil || string(got) != strings.Join(lines[10:45], "") {
			t.Errorf("%s from %s to %s: %d lines, error %v", format, from, to, bytes.Count(got, []byte("\n")), err)
		}
		got, err = unpack(b.download(t, Request{Tenant: "acme", App: "unknown", Format: format}))
		if err != nil || len(got) != 0 {
			t.Errorf("%s of nothing: %q, error %v", format, got, err)
		}
	}
	stop() // without the role a download holds what is sealed
	if got := b.download(t, Request{Tenant: "acme", App: "shop"}); !bytes.Equal(got, want) {
		t.Errorf("without the role: %d bytes, want %d", len(got), len(want))
	}
}

func TestACrashAtAnyStepLosesAndDoublesNothing(t *testing.T) {
	b := setup(t)
	b.cfg.SealRecords = 25
	var armed atomic.Bool
	var crashes atomic.Int32
	role := b.role(t)
	role.fault = func(step string) error {
		if armed.Load() && rand.IntN(6) == 0 {
			crashes.Add(1)
			return fmt.Errorf("a fault of the test at step %s", step)
		}
		return nil
	}
	armed.Store(true)
	stop := sinktest.Start(t, role.Run)
	var want []byte
	for range 6 {
		want = append(want, b.publish(t, 60)...)
	}
	sinktest.Eventually(t, "some crashes", func() bool {
		want = append(want, b.publish(t, 20)...)
		return crashes.Load() >= 8
	})
	stop()
	armed.Store(false)
	b.start(t)
	// A download waits for the sealing a bounded time, and gives what is sealed then.
	sinktest.Eventually(t, fmt.Sprintf("every record once after %d crashes", crashes.Load()), func() bool {
		return bytes.Equal(b.download(t, Request{Tenant: "acme", App: "shop"}), want)
	})
	if err := b.verify(t, "acme", "shop"); err != nil {
		t.Error(err)
	}
	b.checkFolder(t, "acme", "shop")
}

// checkFolder fails when an app's folder holds anything that is not listed.
func (b *bench) checkFolder(t testing.TB, tenant, app string) {
	t.Helper()
	list, err := b.reader.List(tenant, app)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{manifestName: true}
	for _, f := range list.Files {
		listed[f.Name] = true
	}
	root := filepath.Join(b.dir, tenant, app)
	err = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		if err == nil && !d.IsDir() && !listed[filepath.ToSlash(name)] && !strings.HasSuffix(name, openSuffix) {
			t.Errorf("%s is not in the manifest", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestTheSameStreamGivesTheSameFiles(t *testing.T) {
	b := setup(t)
	b.cfg.SealRecords = 40
	b.publish(t, 200)
	sums := func(dir string) (all []string) {
		b.dir, b.reader = dir, NewReader(dir, b.socket, sinktest.Log())
		stop := b.start(t)
		b.download(t, Request{Tenant: "acme", App: "shop"})
		stop()
		list, err := b.reader.List("acme", "shop")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range list.Files {
			all = append(all, f.Name+" "+f.SHA256)
		}
		return all
	}
	first, second := sums(t.TempDir()), sums(t.TempDir())
	if len(first) < 3 || fmt.Sprint(first) != fmt.Sprint(second) {
		t.Errorf("first  %v\nsecond %v", first, second)
	}
}

func TestManyFilesAreJoinedAndOldOnesExpire(t *testing.T) {
	b := setup(t)
	lib, err := openLibrary(b.dir, b.cfg, nil, sinktest.Log(), func(string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer lib.close()
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	var want []byte
	for i := range 2 * joinCount * 3 { // three days of 64 files each
		at := start.Add(time.Duration(i) * 3 * 24 * time.Hour / (2 * joinCount * 3))
		r := sinktest.Request("acme", "shop", i, at)
		line := record.Append(nil, &r)
		want = append(want, line...)
		if _, _, err := lib.add(&stream.Batch{Seq: uint64(i + 1), At: at, Data: line}); err != nil {
			t.Fatal(err)
		}
		if err := lib.sealWhere(func(*part) bool { return true }); err != nil {
			t.Fatal(err)
		}
	}
	if err := lib.tidy(start.Add(3*24*time.Hour - time.Hour)); err != nil {
		t.Fatal(err)
	}
	list, err := b.reader.List("acme", "shop")
	if err != nil || len(list.Files) != 4 || list.Files[0].Parts != 2*joinCount || list.Files[3].Parts != joinCount {
		t.Fatalf("%d files, error %v", len(list.Files), err)
	}
	if got := b.download(t, Request{Tenant: "acme", App: "shop"}); !bytes.Equal(got, want) {
		t.Errorf("%d bytes after joining, want %d", len(got), len(want))
	}
	if err := lib.tidy(start.Add(b.cfg.Retention + 49*time.Hour)); err != nil {
		t.Fatal(err)
	}
	list, err = b.reader.List("acme", "shop")
	if err != nil || len(list.Files) != 1 || list.Records != 2*joinCount {
		t.Errorf("after the retention: %+v, error %v", list, err)
	}
	if err := b.verify(t, "acme", "shop"); err != nil {
		t.Error(err)
	}
	b.checkFolder(t, "acme", "shop")
}

func TestDamageIsFound(t *testing.T) {
	b := setup(t)
	b.start(t)
	b.publish(t, 20)
	b.download(t, Request{Tenant: "acme", App: "shop"})
	list, err := b.reader.List("acme", "shop")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(b.dir, "acme", "shop", list.Files[0].Name)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file[len(file)/2] ^= 1
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.verify(t, "acme", "shop"); !errors.Is(err, errDamaged) {
		t.Errorf("error %v, want %v", err, errDamaged)
	}
}

func TestNamesCannotLeaveTheArchive(t *testing.T) {
	b := setup(t)
	b.start(t)
	evil := sinktest.Request("..", "../../x", 1, time.Now())
	sinktest.Publish(t, b.stream, evil, sinktest.Request("acme", "shop", 1, time.Now()))
	sinktest.PublishRaw(t, b.stream, []byte("no record\n"), 1)
	b.download(t, Request{Tenant: "acme", App: "shop"})
	for _, name := range [][2]string{{"..", "x"}, {"acme", ".."}, {"acme", "a/b"}, {"", "shop"}, {"_host", "_host"}, {"acme", "\x00"}} {
		var invalid *paas.Invalid
		if _, err := b.reader.List(name[0], name[1]); !errors.As(err, &invalid) {
			t.Errorf("List(%q, %q): error %v, want one that the sender can mend", name[0], name[1], err)
		}
		if err := b.reader.Download(t.Context(), io.Discard, Request{Tenant: name[0], App: name[1]}); !errors.As(err, &invalid) {
			t.Errorf("Download(%q, %q): error %v", name[0], name[1], err)
		}
	}
	folders, err := os.ReadDir(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if name := f.Name(); name != "acme" && name != "_other" && name != positionName {
			t.Errorf("the archive holds %s", name)
		}
	}
}

func TestAReplacedStreamIsArchivedBesideTheFormerOne(t *testing.T) {
	b := setup(t)
	stop := b.start(t)
	want := b.publish(t, 300)
	b.download(t, Request{Tenant: "acme", App: "shop"})
	stop()
	b.stream = sinktest.Stream(t)
	want = append(want, b.publish(t, 20)...)
	b.start(t)
	if got := b.download(t, Request{Tenant: "acme", App: "shop"}); !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
	if err := b.verify(t, "acme", "shop"); err != nil {
		t.Error(err)
	}
}

func TestTheArchiveHoldsTheSameRecordsAsPostgres(t *testing.T) {
	b := setup(t)
	pool := pgtest.New(t)
	store, err := persist.New(config.Default().Persist, sink.Deps{Stream: b.stream, Pool: pool, Log: sinktest.Log()})
	if err != nil {
		t.Fatal(err)
	}
	sinktest.Start(t, store.Run)
	b.start(t)
	want := b.publish(t, 300)
	archived := bytes.Count(b.download(t, Request{Tenant: "acme", App: "shop"}), []byte("\n"))
	query, stored := persist.NewQuery(pool), map[string]bool{}
	sinktest.Eventually(t, "all records are in Postgres", func() bool {
		clear(stored)
		for f := (persist.Filter{Tenant: "acme", App: "shop"}); ; {
			page, cursor, err := query.Logs(context.Background(), f)
			if err != nil {
				t.Fatal(err)
			}
			for i := range page {
				stored[string(record.Append(nil, &page[i]))] = true
			}
			if f.Cursor = cursor; cursor == "" {
				return len(stored) >= archived
			}
		}
	})
	for _, line := range strings.SplitAfter(string(want), "\n") {
		if line != "" && !stored[line] {
			t.Fatalf("not in Postgres: %s", line)
		}
	}
	if archived != len(stored) {
		t.Errorf("%d records in the archive, %d in Postgres", archived, len(stored))
	}
}
