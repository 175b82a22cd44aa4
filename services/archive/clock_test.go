package archive

import (
	"testing"
	"time"

	"kurama/logship/record"
	"kurama/logship/stream"
	"kurama/services/sink/sinktest"
)

func TestAClockThatIsSteppedKeepsNoFileOpen(t *testing.T) {
	for name, by := range map[string]time.Duration{"an hour ahead": time.Hour, "an hour back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			b := offline(t)
			lib, err := openLibrary(b.dir, b.cfg, nil, sinktest.Log(), func(string) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(lib.close)
			at := time.Date(2026, 11, 1, 0, 10, 0, 0, time.UTC) // a step back leads into the day before
			take := func(seq uint64, app string) {
				t.Helper()
				r := sinktest.Request("acme", app, int(seq), at)
				if _, _, err := lib.add(&stream.Batch{Seq: seq, At: at, Data: record.Append(nil, &r)}); err != nil {
					t.Fatal(err)
				}
				if err := lib.sealDue(at, false); err != nil {
					t.Fatal(err)
				}
			}
			take(1, "shop")
			take(2, "blog")
			at = at.Add(by)
			take(3, "blog") // shop says nothing any more
			if p := lib.shelves["acme/shop"].part; p != nil {
				t.Errorf("the file of shop, of %s, is still open at %s", p.window, at)
			}
			take(4, "shop")
			at = at.Add(2 * b.cfg.SealAge)
			take(5, "blog")
			if lib.position < 4 {
				t.Errorf("the position is %d, want what came before the last batch to be sealed", lib.position)
			}
			for app, want := range map[string]int{"shop": 2, "blog": 2} {
				if got := len(lib.shelves["acme/"+app].manifest.Files); got != want {
					t.Errorf("%s has %d files, want %d", app, got, want)
				}
			}
		})
	}
}
