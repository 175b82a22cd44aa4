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
	"strings"
	"testing"
)

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
