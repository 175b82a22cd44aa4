package archive

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"kurama/logship/record"
	"kurama/logship/stream"
	"kurama/services/sink/sinktest"
)

// noisy returns an archive of files of some MiB, whose records pack badly.
func noisy(t testing.TB, b *bench, files, records int) *library {
	t.Helper()
	lib, err := openLibrary(b.dir, b.cfg, nil, sinktest.Log(), func(string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(lib.close)
	noise := make([]byte, 48<<10)
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for i := range files * records {
		if _, err := rand.Read(noise); err != nil {
			t.Fatal(err)
		}
		r := sinktest.Request("acme", "shop", i, at)
		r.Msg = base64.StdEncoding.EncodeToString(noise)
		if _, _, err := lib.add(&stream.Batch{Seq: uint64(i + 1), At: at, Data: record.Append(nil, &r)}); err != nil {
			t.Fatal(err)
		}
		if (i+1)%records == 0 {
			if err := lib.sealWhere(func(*part) bool { return true }); err != nil {
				t.Fatal(err)
			}
		}
	}
	return lib
}

func TestLargeFramesAreJoinedAsTheyAreAndWithoutHoldingTheFile(t *testing.T) {
	b := offline(t)
	lib := noisy(t, b, 2, 16*5) // a good 64 KiB a record: 5 frames of 16 records, none of which is small
	s := lib.shelves["acme/shop"]
	var want []byte
	var index []frame
	for i := range s.manifest.Files {
		f := &s.manifest.Files[i]
		file, err := os.ReadFile(filepath.Join(s.folder, f.Name))
		if err != nil {
			t.Fatal(err)
		}
		frames, err := readIndex(bytes.NewReader(file), f)
		if err != nil || len(frames) != 5 || frames[4].plain < frameBytes/2 {
			t.Fatalf("%d frames, error %v", len(frames), err)
		}
		want, index = append(want, file[:f.Bytes-f.Index]...), append(index, frames...)
	}
	want = appendIndex(want, index)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := s.concatenate(filepath.Join(t.TempDir(), "joined"), s.manifest.Files, &File{}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > uint64(len(want))/8 {
		t.Errorf("joining %d bytes took %d bytes of memory", len(want), took)
	}
	if err := s.join("2026-11-02"); err != nil || len(s.manifest.Files) != 1 {
		t.Fatalf("%d files, error %v", len(s.manifest.Files), err)
	}
	if got, err := os.ReadFile(filepath.Join(s.folder, s.manifest.Files[0].Name)); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes joined, want %d; error %v", len(got), len(want), err)
	}
	if err := b.verify(t, "acme", "shop"); err != nil {
		t.Error(err)
	}
}

func TestADamagedFileIsNotJoined(t *testing.T) {
	b := offline(t)
	lib, _, _ := filled(t, b, 180)
	s := lib.shelves["acme/shop"]
	path := filepath.Join(s.folder, s.manifest.Files[1].Name)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for what, bad := range map[string][]byte{"a byte is another": append([]byte{file[0], file[1], file[2], file[3], file[4] ^ 1}, file[5:]...),
		"the last byte is missing": file[:len(file)-1], "a byte is too much": append(file[:len(file):len(file)], 0)} {
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.join("2026-11-02"); err != nil || len(s.manifest.Files) != 3 {
			t.Errorf("%s: %d files, error %v", what, len(s.manifest.Files), err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(s.folder, "*", "*"+openSuffix)); err != nil || len(left) > 0 {
		t.Errorf("left %v, error %v", left, err)
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.join("2026-11-02"); err != nil || len(s.manifest.Files) != 1 {
		t.Errorf("mended: %d files, error %v", len(s.manifest.Files), err)
	}
}

func TestADownloadGoesOnAlthoughFilesWereJoined(t *testing.T) {
	b := offline(t)
	lib, _, start := filled(t, b, 600) // ten small files
	from, to := start.Add(100*time.Second), start.Add(500*time.Second)
	tags, all := map[Format]string{}, map[Format][]byte{}
	for _, format := range Formats {
		c := b.open(t, Request{Format: format, From: from, To: to})
		tags[format], all[format] = c.Tag(), content(t, c, 0, -1)
		again := b.open(t, Request{Format: format, From: from, To: to, Tag: c.Tag()})
		if rest := content(t, again, 50, -1); again.Tag() != c.Tag() || !bytes.Equal(rest, all[format][50:]) {
			t.Errorf("%s: before the join the rest is another, of the tag %s", format, again.Tag())
		}
	}
	if err := lib.tidy(start.Add(24 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	if n := len(lib.shelves["acme/shop"].manifest.Files); n != 1 {
		t.Fatalf("%d files", n)
	}
	for _, format := range Formats {
		req := Request{Tenant: "acme", App: "shop", Format: format, From: from, To: to, Tag: tags[format]}
		if format == JSONLZstd { // its bytes are others now
			if c, err := b.reader.Open(t.Context(), req); !Changed(err) {
				t.Errorf("%s: opened %v, error %v", format, c != nil, err)
			}
			continue
		}
		if rest := content(t, b.open(t, req), 50, -1); !bytes.Equal(rest, all[format][50:]) {
			t.Errorf("%s: the rest has %d bytes, want %d, or is another", format, len(rest), len(all[format])-50)
		}
	}
	for _, tag := range []string{tags[JSONL], `"k1.0.600.0.1.ff"`, tags[JSONLZstd] + ".0"} { // without, with another hash, with more
		if _, err := b.reader.Open(t.Context(), Request{Tenant: "acme", App: "shop", Format: JSONLZstd, Tag: tag}); !Changed(err) {
			t.Errorf("tag %s: error %v", tag, err)
		}
	}
}

func TestFramesThatAreCopiedStayTheSameForADownload(t *testing.T) {
	b := offline(t)
	lib := noisy(t, b, 2, 16)
	c := b.open(t, Request{Format: JSONLZstd})
	all := content(t, c, 0, -1)
	if err := lib.tidy(time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	again := b.open(t, Request{Format: JSONLZstd, Tag: c.Tag()})
	var rest bytes.Buffer
	if err := again.Write(t.Context(), &rest, 1000, -1); err != nil || !bytes.Equal(rest.Bytes(), all[1000:]) || len(again.files) != 1 {
		t.Errorf("the rest has %d bytes of %d files, error %v", rest.Len(), len(again.files), err)
	}
}
