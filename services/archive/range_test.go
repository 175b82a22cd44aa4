package archive

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"

	"kurama/internal/config"
	"kurama/logship/record"
	"kurama/logship/stream"
	"kurama/services/sink/sinktest"
)

// filled returns an archive of n records of acme/shop, one batch and second
// each, and their lines. Each minute is sealed.
func filled(t testing.TB, b *bench, n int) (lib *library, lines []string, start time.Time) {
	t.Helper()
	lib, err := openLibrary(b.dir, b.cfg, nil, sinktest.Log(), func(string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(lib.close)
	start = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		at := start.Add(time.Duration(i) * time.Second)
		r := sinktest.Request("acme", "shop", i, at)
		line := record.Append(nil, &r)
		lines = append(lines, string(line))
		if _, _, err := lib.add(&stream.Batch{Seq: uint64(i + 1), At: at, Data: line}); err != nil {
			t.Fatal(err)
		}
		if err := lib.sealDue(at, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := lib.sealWhere(func(*part) bool { return true }); err != nil {
		t.Fatal(err)
	}
	return lib, lines, start
}

func offline(t testing.TB) *bench {
	b := &bench{cfg: config.Default().Archive, dir: t.TempDir()}
	b.reader = NewReader(b.dir, "", sinktest.Log())
	return b
}

func (b *bench) open(t testing.TB, req Request) *Content {
	t.Helper()
	req.Tenant, req.App = "acme", "shop"
	c, err := b.reader.Open(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func content(t testing.TB, c *Content, offset, length int64) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := c.Write(t.Context(), &out, offset, length); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAnyRangeOfBytesIsThePartOfTheWhole(t *testing.T) {
	b := offline(t)
	_, lines, start := filled(t, b, 60*36) // joined files and single ones
	for _, format := range Formats {
		for _, span := range [][2]time.Time{{}, {start.Add(100 * time.Second), start.Add(3000 * time.Second)}} {
			c := b.open(t, Request{Format: format, From: span[0], To: span[1]})
			all := content(t, c, 0, -1)
			if n, err := c.Size(t.Context()); err != nil || n != int64(len(all)) {
				t.Fatalf("%s: size %d, error %v; it has %d bytes", format, n, err, len(all))
			}
			for range 4 {
				from := rand.Int64N(int64(len(all)))
				n := 1 + rand.Int64N(int64(len(all))-from)
				if got := content(t, c, from, n); !bytes.Equal(got, all[from:from+n]) {
					t.Fatalf("%s: bytes %d to %d are others", format, from, from+n)
				}
			}
			if format == JSONL && span[0].IsZero() && string(all) != strings.Join(lines, "") {
				t.Errorf("%d bytes are not what was archived", len(all))
			}
		}
	}
}

func TestADownloadGoesOnAlthoughRecordsCameIn(t *testing.T) {
	b := offline(t)
	lib, _, start := filled(t, b, 600)
	before := b.open(t, Request{})
	all := content(t, before, 0, -1)
	for i := range 3 {
		at := start.Add(time.Duration(601+i) * time.Second)
		r := sinktest.Request("acme", "shop", i, at)
		if _, _, err := lib.add(&stream.Batch{Seq: uint64(601 + i), At: at, Data: record.Append(nil, &r)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := lib.sealWhere(func(*part) bool { return true }); err != nil {
		t.Fatal(err)
	}
	again := b.open(t, Request{Tag: before.Tag()})
	if got := content(t, again, 1000, -1); !bytes.Equal(got, all[1000:]) {
		t.Errorf("the rest has %d bytes, want %d", len(got), len(all)-1000)
	}
	if now := b.open(t, Request{}); now.Tag() == before.Tag() || len(content(t, now, 0, -1)) <= len(all) {
		t.Errorf("the present state has the tag %s, the former %s", now.Tag(), before.Tag())
	}
	if err := lib.shelves["acme/shop"].drop(1, 0); err != nil { // as the retention does
		t.Fatal(err)
	}
	for _, tag := range []string{before.Tag(), `"k1.0.5.0.1"`, `"other"`} {
		if _, err := b.reader.Open(t.Context(), Request{Tenant: "acme", App: "shop", Tag: tag}); !Changed(err) {
			t.Errorf("tag %s: error %v", tag, err)
		}
	}
}

func TestARangeOfTimeReadsOnlyItsFrames(t *testing.T) {
	b := offline(t)
	b.cfg.SealAge, b.cfg.SealRecords = 24*time.Hour, 1_000_000
	_, lines, start := filled(t, b, 20_000) // one file of some frames
	c := b.open(t, Request{From: start.Add(9000 * time.Second), To: start.Add(9010 * time.Second)})
	var bytes, all int64
	for _, p := range c.pieces {
		bytes += p.bytes
	}
	for _, f := range c.files {
		all += f.Bytes
	}
	if got := content(t, c, 0, -1); string(got) != strings.Join(lines[9000:9010], "") {
		t.Errorf("%d lines", strings.Count(string(got), "\n"))
	}
	if bytes*4 > all || len(c.files) != 1 {
		t.Errorf("%d of %d bytes in %d files are read for ten seconds of five hours", bytes, all, len(c.files))
	}
}

func TestCSVAndParquetHoldWhatTheRecordsSay(t *testing.T) {
	b := offline(t)
	_, _, start := filled(t, b, 130)
	rows, err := csv.NewReader(bytes.NewReader(content(t, b.open(t, Request{Format: CSV}), 0, -1))).ReadAll()
	if err != nil || len(rows) != 131 || strings.Join(rows[0], ",") != strings.Join(columns, ",") {
		t.Fatalf("%d rows, error %v", len(rows), err)
	}
	want := "2026-11-01T00:02:09.000000Z, request INFO acme shop 3 shop-3-abcdef GET /user/<id> /user/129?tab=posts 200 GET /user/129 200 12.3 ms 12.5 1.25 0 22.4 12.3 0.4 3.1 0.9 2048 req-129  "
	if last := rows[130]; last[0]+", "+strings.Join(last[2:], " ") != want {
		t.Errorf("last row %q", last)
	}
	file := content(t, b.open(t, Request{Format: Parquet}), 0, -1)
	got, err := parquet.Read[row](bytes.NewReader(file), int64(len(file)))
	if err != nil || len(got) != 130 {
		t.Fatalf("%d rows, error %v", len(got), err)
	}
	last := got[129]
	if last.Time != start.Add(129*time.Second).UnixMicro() || *last.Dur != 12.3 || *last.Status != 200 || last.Msg != "GET /user/129 200 12.3 ms" || last.Exc != nil || *last.Level != "INFO" {
		t.Errorf("last row %+v", last)
	}
}

func TestSmallPartsArePackedTogetherWhenTheyAreJoined(t *testing.T) {
	b := offline(t)
	filled(t, b, 60*joinCount)
	list, err := b.reader.List("acme", "shop")
	if err != nil || len(list.Files) != 1 || list.Files[0].Parts != joinCount {
		t.Fatalf("%d files, error %v", len(list.Files), err)
	}
	c := b.open(t, Request{})
	if len(c.pieces) != 1 || c.pieces[0].plain == 0 {
		t.Errorf("%d pieces", len(c.pieces))
	}
	frames, err := readIndex(c.files[0].file, &c.files[0].File)
	if err != nil || len(frames) != 1 || frames[0].records != 60*joinCount || frames[0].first != 1 || frames[0].last != 60*joinCount {
		t.Errorf("frames %+v, error %v", frames, err)
	}
	if err := b.verify(t, "acme", "shop"); err != nil {
		t.Error(err)
	}
	dec, err := zstd.NewReader(bytes.NewReader(content(t, b.open(t, Request{Format: JSONLZstd}), 0, -1)))
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	if text, err := io.ReadAll(dec); err != nil || bytes.Count(text, []byte("\n")) != 60*joinCount {
		t.Errorf("%d bytes, error %v", len(text), err)
	}
}

func TestCrashesLeaveTheFilesThatAQuietRunMakes(t *testing.T) {
	b := setup(t)
	b.cfg.SealRecords = 40
	b.publish(t, 900)
	calm := NewReader(t.TempDir(), "", sinktest.Log())
	run := func(dir string, fault func(string) error) {
		b.dir = dir
		role := b.role(t)
		role.fault = fault
		stop := sinktest.Start(t, role.Run)
		_, last, err := b.stream.Bounds(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sinktest.Eventually(t, "the stream is read", func() bool { return role.meter.Trouble() == "" && role.consumed.Load() >= last })
		stop()
	}
	run(calm.dir, func(string) error { return nil })
	var crashes atomic.Int32
	crashed := NewReader(t.TempDir(), "", sinktest.Log())
	run(crashed.dir, func(step string) error {
		if crashes.Load() < 12 && rand.IntN(5) == 0 {
			crashes.Add(1)
			return fmt.Errorf("a fault of the test at step %s", step)
		}
		return nil
	})
	want, err := calm.List("acme", "shop")
	got, err2 := crashed.List("acme", "shop")
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got.Files) != fmt.Sprint(want.Files) || len(want.Files) < 10 || crashes.Load() < 5 {
		t.Errorf("after %d crashes %d files, without %d; or they differ", crashes.Load(), len(got.Files), len(want.Files))
	}
}

func TestATenantKeepsWhatItMay(t *testing.T) {
	b := offline(t)
	lib, lines, start := filled(t, b, 60*40)
	list, err := b.reader.List("acme", "shop")
	if err != nil {
		t.Fatal(err)
	}
	keep := Limits{Seconds: 3 * 24 * 3600, Max: list.Bytes / 2}
	if err := b.reader.SetLimits("acme", &keep); err != nil {
		t.Fatal(err)
	}
	if err := lib.tidy(start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	list, err = b.reader.List("acme", "shop")
	if err != nil || list.Bytes > keep.Max || list.Removed == 0 || list.Records+list.Removed != len(lines) {
		t.Errorf("%d bytes of %d, %d records and %d removed, error %v", list.Bytes, keep.Max, list.Records, list.Removed, err)
	}
	if got := string(b.download(t, Request{Tenant: "acme", App: "shop"})); got != strings.Join(lines[list.Removed:], "") {
		t.Error("what is left is not the newest")
	}
	if err := lib.tidy(start.Add(5 * 24 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	if list, err = b.reader.List("acme", "shop"); err != nil || len(list.Files) != 0 {
		t.Errorf("after the tenant's retention %d files, error %v", len(list.Files), err)
	}
	if err := b.reader.SetLimits("acme", &Limits{Seconds: 60}); err == nil {
		t.Error("a retention of a minute was taken")
	}
}

func FuzzAnIndex(f *testing.F) {
	f.Add(appendIndex(nil, []frame{{bytes: 10, plain: 20, records: 1, from: 1, to: 2, first: 3, last: 4}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		frames, err := parseIndex(b, 10)
		if err == nil && !bytes.Equal(appendIndex(nil, frames), b) {
			t.Errorf("%x is read as %+v", b, frames)
		}
	})
}
