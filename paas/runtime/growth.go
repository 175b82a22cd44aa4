package runtime

import (
	"os"
	"strconv"
)

// growth says how much is written to a file that the engine rotates: path is
// the newest, path.1 the one before, and so on.
type growth struct {
	path string
	last os.FileInfo // of the newest at the last look
}

// since returns the bytes written since the last call; 0 for the first one. Of
// what was written and removed again in between it knows nothing.
func (g *growth) since() int64 {
	info, err := os.Stat(g.path)
	if err != nil {
		return 0 // it is being rotated, or the container is gone
	}
	before := g.last
	g.last = info
	switch {
	case before == nil:
		return 0
	case os.SameFile(info, before) && info.Size() >= before.Size():
		return info.Size() - before.Size()
	}
	bytes := info.Size()
	for n := 1; ; n++ {
		older, err := os.Stat(g.path + "." + strconv.Itoa(n))
		switch {
		case err != nil:
			return bytes
		case os.SameFile(older, before):
			return bytes + max(0, older.Size()-before.Size())
		}
		bytes += older.Size()
	}
}
