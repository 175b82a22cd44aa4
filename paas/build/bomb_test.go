package build

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kurama/paas"
)

// TestIntakeBombs takes in what is made to harm whoever unpacks it: each is
// refused with a sentence, within its bounds, and nothing of it stays.
func TestIntakeBombs(t *testing.T) {
	f := func(name string, data []byte, want string) {
		t.Run(name, func(t *testing.T) {
			b := intakeBuilder(t)
			_, err := b.take(t, data, paas.UploadZip)
			if bad, ok := errors.AsType[*paas.Invalid](err); !ok || !strings.HasPrefix(bad.Reason, want) {
				t.Errorf("got %v", err)
			}
			outside, err := os.ReadDir(b.opts.Data) // releases and layers
			if left := stored(t, b.releases()); err != nil || left != "" || len(outside) != 2 {
				t.Errorf("left behind:\n%s, and %v in the folder above (%v)", left, outside, err)
			}
		})
	}
	f("quoted overlap: each file's data are the next one's header and data", quoted(t, 40), "The archive holds entries that overlap")
	f("full overlap: all entries have the same data", sameData(t, 40), "The archive holds entries that overlap")
	f("zip64 sizes beyond what is there", zip64(t, 1<<62, 1<<62), "The archive is damaged at `app.py`: unexpected EOF")
	f("zip64 sizes that add up to less than nothing", zip64(t, 1<<63+20, 1<<63+20), "The archive claims an impossible size for `app.py`")
	f("a directory that lies beyond the end", beyondEnd(zipOf(t, file{name: "app.py"})), "The archive is damaged at `app.py`: negative offset")
	f("more entries in the trailer than there are", moreEntries(zipOf(t, file{name: "app.py"})), "The zip archive cannot be read")
	f("a method that nobody has", method(zipOf(t, file{name: "app.py", text: "x"})), "The archive is damaged at `app.py`: zip: unsupported compression algorithm")
	f("a name that only looks like UTF-8", zipOf(t, file{name: "\xc0\xae\xc0\xae/canary"}), "The archive holds a name that is not text")
	f("a name in another encoding", zipOf(t, file{name: "caf\xe9.py"}), "The archive holds a name that is not text")
	f("a name that turns right to left", zipOf(t, file{name: "app.py"}, file{name: "txt.\u202eyp.exe"}), "The archive holds a name with a control character")
	f("a NUL in a name", zipOf(t, file{name: "app.py\x00.png"}), "The archive holds a name that is not text")
	f("two names that look the same", zipOf(t, file{name: "caf\u00e9.py"}, file{name: "cafe\u0301.py"}), "The archive holds two names that differ only in how their accents are written")
	f("names that differ in case beyond ASCII", zipOf(t, file{name: "\u00c4.py"}, file{name: "\u00e4.py"}), "The archive holds two names that differ only in case")
	f("a folder and a file that differ in case", zipOf(t, file{name: "Static/x"}, file{name: "static"}), "The archive holds two names that differ only in case")
	f("a folder that is a link", zipOf(t, file{name: "app.py"}, file{name: "x", text: "/etc", mode: fs.ModeSymlink | 0o777}, file{name: "x/passwd"}), "The archive holds a symbolic link")
	f("a link with a slash behind its name", zipOf(t, file{name: "app.py"}, file{name: "x/", mode: fs.ModeSymlink | 0o777}), "The archive holds a symbolic link")
	f("a socket", zipOf(t, file{name: "s", mode: fs.ModeSocket | 0o666}), "The archive holds a socket")
	f("a named pipe", zipOf(t, file{name: "p", mode: fs.ModeNamedPipe | 0o666}), "The archive holds a named pipe")
	f("a link that a later entry goes through in a tar.gz", tarOf(t, file{name: "x", kind: tar.TypeSymlink}, file{name: "x/passwd"}), "The archive holds a symbolic link")
	f("a long name by PAX that leaves", paxName(t, "../"+strings.Repeat("a/", 60)+"canary"), "The archive holds a path that leaves its folder")
	f("a size by PAX that is negative", paxSize(t, "-1"), "The archive is damaged")
	f("a sparse file that is all hole", sparse(t, "1099511627776"), "The archive")
	f("gzip within gzip without end", nested(t, 3), "The archive is damaged")
	f("a stream of many gzip members", members(t, 6<<20), "The archive unpacks to more than 20 times its size")
	f("a polyglot that begins as something else", append([]byte("GIF89a"), zipOf(t, file{name: "app.py"})...), "`my app.zip` is neither a zip nor a tar.gz")
}

// TestLocalName has an entry that bears another name before its data than in
// the directory: the directory's alone is looked at, so there is no second truth.
func TestLocalName(t *testing.T) {
	b := intakeBuilder(t)
	data := zipOf(t, file{name: "app.py", text: "x"})
	copy(data[30:], "../..y")
	if _, err := b.take(t, data, paas.UploadZip); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, b.SourceFolder("default", "web", 1)); got != "-rw-r--r-- app.py\ndrwxr-xr-x instance" {
		t.Errorf("got\n%s", got)
	}
}

// TestNestedArchives has archives in an archive: they are files, and stay packed.
func TestNestedArchives(t *testing.T) {
	bomb := zipOf(t, file{name: "zeros", text: strings.Repeat("\x00", 64<<20)})
	b := intakeBuilder(t)
	if _, err := b.take(t, zipOf(t, file{name: "app.py", text: "x"}, file{name: "inner.zip", text: string(bomb)}), paas.UploadZip); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(b.SourceFolder("default", "web", 1), "inner.zip"))
	if err != nil || info.Size() != int64(len(bomb)) {
		t.Errorf("%v %v", info, err)
	}
}

// TestTinyFiles bounds what very many entries cost: the bound is looked at
// before anything is written.
func TestTinyFiles(t *testing.T) {
	var files []file
	for i := range 100_000 {
		files = append(files, file{name: fmt.Sprintf("d%d/f%d", i%100, i)})
	}
	for kind, data := range map[string][]byte{"zip": zipOf(t, files...), "tar.gz": tarOf(t, files...)} {
		b := intakeBuilder(t)
		if _, err := b.take(t, data, paas.UploadZip); err == nil || !strings.Contains(err.Error(), "more than 50 files") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// stow writes a local header of a stored file, and its data (APPNOTE.TXT 4.3.7).
func stow(out *bytes.Buffer, name string, data []byte) {
	h := make([]byte, 30)
	copy(h, "PK\x03\x04")
	h[4] = 20
	binary.LittleEndian.PutUint32(h[14:], crc32.ChecksumIEEE(data))
	binary.LittleEndian.PutUint32(h[18:], uint32(len(data)))
	binary.LittleEndian.PutUint32(h[22:], uint32(len(data)))
	binary.LittleEndian.PutUint16(h[26:], uint16(len(name)))
	out.Write(h)
	out.WriteString(name)
	out.Write(data)
}

// entry is what the directory of a zip says of a stored file.
type entry struct {
	name   string
	at     int // of its local header
	data   []byte
	size64 [2]uint64 // packed and unpacked; 0: as data has it
}

// directory writes the end of a zip (APPNOTE.TXT 4.3.12, 4.3.16, 4.5.3).
func directory(out *bytes.Buffer, entries ...entry) []byte {
	begin := out.Len()
	for _, e := range entries {
		h, extra := make([]byte, 46), []byte(nil)
		copy(h, "PK\x01\x02")
		h[4], h[6] = 20, 20
		binary.LittleEndian.PutUint32(h[16:], crc32.ChecksumIEEE(e.data))
		binary.LittleEndian.PutUint32(h[20:], uint32(len(e.data)))
		binary.LittleEndian.PutUint32(h[24:], uint32(len(e.data)))
		if e.size64[0] > 0 {
			binary.LittleEndian.PutUint32(h[20:], 0xffffffff)
			binary.LittleEndian.PutUint32(h[24:], 0xffffffff)
			extra = binary.LittleEndian.AppendUint16(extra, 1)
			extra = binary.LittleEndian.AppendUint16(extra, 16)
			extra = binary.LittleEndian.AppendUint64(extra, e.size64[1])
			extra = binary.LittleEndian.AppendUint64(extra, e.size64[0])
		}
		binary.LittleEndian.PutUint16(h[28:], uint16(len(e.name)))
		binary.LittleEndian.PutUint16(h[30:], uint16(len(extra)))
		binary.LittleEndian.PutUint32(h[42:], uint32(e.at))
		out.Write(h)
		out.WriteString(e.name)
		out.Write(extra)
	}
	end := make([]byte, 22)
	copy(end, "PK\x05\x06")
	binary.LittleEndian.PutUint16(end[8:], uint16(len(entries)))
	binary.LittleEndian.PutUint16(end[10:], uint16(len(entries)))
	binary.LittleEndian.PutUint32(end[12:], uint32(out.Len()-begin))
	binary.LittleEndian.PutUint32(end[16:], uint32(begin))
	out.Write(end)
	return out.Bytes()
}

// quoted makes files whose data hold all later files, as Fifield's bombs do
// (https://www.bamsoftware.com/hacks/zipbomb/), here without compression.
func quoted(t testing.TB, n int) []byte {
	t.Helper()
	var tail []byte // headers and data of the files from the last to this
	entries := make([]entry, n)
	sizes := make([]int, n)
	for i := n - 1; i >= 0; i-- {
		var one bytes.Buffer
		data := tail
		if i == n-1 {
			data = []byte(strings.Repeat("x", 1000))
		}
		stow(&one, fmt.Sprintf("f%02d", i), data)
		entries[i] = entry{name: fmt.Sprintf("f%02d", i), data: data}
		tail, sizes[i] = one.Bytes(), one.Len()
	}
	for i := range entries {
		entries[i].at = sizes[0] - sizes[i]
	}
	out := bytes.NewBuffer(bytes.Clone(tail))
	return directory(out, entries...)
}

func sameData(t testing.TB, n int) []byte {
	t.Helper()
	var out bytes.Buffer
	data := []byte(strings.Repeat("x", 5000))
	stow(&out, "f00", data)
	entries := make([]entry, n)
	for i := range entries {
		entries[i] = entry{name: fmt.Sprintf("f%02d", i), data: data}
	}
	return directory(&out, entries...)
}

func zip64(t testing.TB, packed, unpacked uint64) []byte {
	t.Helper()
	var out bytes.Buffer
	stow(&out, "app.py", []byte("x"))
	return directory(&out, entry{name: "app.py", data: []byte("x"), size64: [2]uint64{packed, unpacked}})
}

func beyondEnd(data []byte) []byte {
	binary.LittleEndian.PutUint32(data[len(data)-6:], 1<<30)
	return data
}

func moreEntries(data []byte) []byte {
	binary.LittleEndian.PutUint16(data[len(data)-14:], 3)
	binary.LittleEndian.PutUint16(data[len(data)-12:], 3)
	return data
}

func method(data []byte) []byte {
	data[central(data)+10] = 99
	return data
}

func paxName(t testing.TB, name string) []byte {
	t.Helper()
	return rawTar(t, &tar.Header{Name: name, Mode: 0o644, Format: tar.FormatPAX, Typeflag: tar.TypeReg}, "")
}

// paxSize has a size in a PAX record that no writer writes.
func paxSize(t testing.TB, size string) []byte {
	t.Helper()
	return edit(t, rawTar(t, &tar.Header{Name: "app.py", Mode: 0o644, Format: tar.FormatPAX, Typeflag: tar.TypeReg, PAXRecords: map[string]string{"sizf": size}}, ""), "sizf=", "size=")
}

// sparse claims a file that is one hole (GNU sparse format 1.0 by PAX records).
func sparse(t testing.TB, size string) []byte {
	t.Helper()
	body := "1\n0\n0\n"
	return edit(t, rawTar(t, &tar.Header{Name: "app.py", Mode: 0o644, Format: tar.FormatPAX, Typeflag: tar.TypeReg, Size: 512, PAXRecords: map[string]string{
		"KUR.sparse.major": "1", "KUR.sparse.minor": "0", "KUR.sparse.name": "app.py", "KUR.sparse.realsize": size}},
		body+strings.Repeat("\x00", 512-len(body))), "KUR.sparse", "GNU.sparse")
}

// edit replaces text of the same length in a tar.gz.
func edit(t testing.TB, data []byte, from, to string) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil || !bytes.Contains(plain, []byte(from)) {
		t.Fatalf("no %q: %v", from, err)
	}
	return gzipped(t, bytes.ReplaceAll(plain, []byte(from), []byte(to)))
}

// gzipped is data as one gzip member.
func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := z.Write(data)
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// nested packs a tar.gz some times more.
func nested(t testing.TB, times int) []byte {
	data := tarOf(t, file{name: "app.py"})
	for range times {
		data = gzipped(t, data)
	}
	return data
}

// members is a tar of zeros, each MiB in a gzip member of its own.
func members(t testing.TB, size int) []byte {
	t.Helper()
	var plain bytes.Buffer
	w := tar.NewWriter(&plain)
	err := w.WriteHeader(&tar.Header{Name: "zeros", Mode: 0o644, Size: int64(size), Typeflag: tar.TypeReg})
	if err == nil {
		_, err = w.Write(make([]byte, size))
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	var out []byte
	for plain.Len() > 0 {
		out = append(out, gzipped(t, plain.Next(1<<20))...)
	}
	return out
}

func rawTar(t testing.TB, h *tar.Header, body string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	err := w.WriteHeader(h)
	if err == nil {
		_, err = io.WriteString(w, body)
	}
	if err := errors.Join(err, w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
