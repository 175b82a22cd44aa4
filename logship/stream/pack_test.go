package stream

import (
	"bytes"
	"strings"
	"testing"

	"kurama/internal/config"
)

func TestPacking(t *testing.T) {
	lines := []byte(strings.Repeat(`{"ts":"2026-11-20T10:04:00.250007Z","kind":"log","level":"INFO","msg":"order 7 was paid"}`+"\n", 200))
	_, url := process(t, t.TempDir(), "127.0.0.1:0")
	c := connect(t, config.Default().Stream, url, "secret")
	t.Run("a batch is small on the stream and whole behind it", func(t *testing.T) {
		seq, err := c.Publish(t.Context(), "host", "a-1", lines, 200)
		if err != nil {
			t.Fatal(err)
		}
		r, err := c.Reader(t.Context(), "test", seq, "")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if got := read(t, r, seq, 1); !bytes.Equal(got[0].Lines(new([]byte)), lines) || got[0].Records != 200 {
			t.Errorf("%d bytes of %d records come back", len(got[0].Lines(new([]byte))), got[0].Records)
		}
		info, err := c.js.Stream(t.Context(), streamName)
		if err != nil {
			t.Fatal(err)
		}
		if stored := info.CachedInfo().State.Bytes; stored > uint64(len(lines)/4) {
			t.Errorf("%d bytes of lines are %d on the stream", len(lines), stored)
		}
	})
	t.Run("what cannot be unpacked is told, and claims no memory", func(t *testing.T) {
		for name, b := range map[string]Batch{
			"another packing": {packing: "lz77", Data: lines},
			"no S2":           {packing: packingS2, Data: lines},
			"too large":       {packing: packingS2, Data: []byte("\xff\xff\xff\xff\x0fabc")},
		} {
			if _, err := unpack(b.packing, b.Data, nil); err == nil {
				t.Errorf("%s: no error", name)
			}
			if got := b.Lines(new([]byte)); !bytes.Equal(got, b.Data) {
				t.Errorf("%s: the reader gets %q", name, got)
			}
		}
	})
}
