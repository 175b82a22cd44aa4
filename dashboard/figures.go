package dashboard

import (
	"strconv"

	"kurama/logship/record"
)

// sampleReach is how many seconds a sample stands for what it tells: a replica
// without a sample for longer is not counted as ready.
const sampleReach = 3

// maxReplicas bounds the replicas remembered per app, gone ones included.
const maxReplicas = 100

// figure is the resource use of one replica, or of the host, in one second.
type figure struct {
	t                    int64 // Unix second
	cpu, disk, swap, mem float64
	rev                  uint64
}

func figureOf(r *record.Record, rev uint64) figure {
	return figure{t: r.Time.Unix(), cpu: known(r.CPU), disk: known(r.Disk), swap: known(r.Swap), mem: known(r.Mem), rev: rev}
}

func known(n record.Number) float64 {
	if !n.Known {
		return unknown
	}
	return n.Value
}

// append writes the figure; replica is left out where it is empty (the host).
func (f *figure) append(dst []byte, replica string) []byte {
	dst = append(dst, '{')
	if replica != "" {
		dst = append(appendString(append(dst, `"replica":`...), replica), ',')
	}
	dst = strconv.AppendInt(append(dst, `"t":`...), f.t, 10)
	dst = appendFigure(append(dst, `,"cpu":`...), f.cpu)
	dst = appendFigure(append(dst, `,"disk":`...), f.disk)
	dst = appendFigure(append(dst, `,"swap":`...), f.swap)
	dst = appendFigure(append(dst, `,"mem":`...), f.mem)
	return append(dst, '}')
}

// figures is the run of one replica's figures, oldest first, bounded.
type figures struct {
	list  []figure
	limit int
}

// add takes a newer figure, or one of the same second in place of the last. An
// older one is left out: it says nothing about now.
func (f *figures) add(n figure) bool {
	if last := len(f.list) - 1; last >= 0 {
		if n.t < f.list[last].t {
			return false
		}
		if n.t == f.list[last].t {
			f.list[last] = n
			return true
		}
	}
	if len(f.list) >= 2*f.limit { // trimmed in one go, not with each sample
		f.list = append(f.list[:0], f.list[len(f.list)-f.limit+1:]...)
	}
	f.list = append(f.list, n)
	return true
}

// until forgets what is later than second.
func (f *figures) until(second int64) {
	for len(f.list) > 0 && f.last() > second {
		f.list = f.list[:len(f.list)-1]
	}
}

// last returns the second of the newest figure, 0 where there is none.
func (f *figures) last() int64 {
	if len(f.list) == 0 {
		return 0
	}
	return f.list[len(f.list)-1].t
}

// since returns what changed after frame rev and after second t.
func (f *figures) since(rev uint64, t int64) []figure {
	i := len(f.list)
	for i > 0 && f.list[i-1].rev > rev && f.list[i-1].t > t {
		i--
	}
	return f.list[i:]
}

// host merges the figures of hosts that report in the same second: the
// dashboard shows the most loaded one, since that is the one that hurts.
func (f *figures) host(n figure) {
	if last := len(f.list) - 1; last >= 0 && f.list[last].t == n.t {
		old := f.list[last]
		n.cpu, n.disk, n.swap, n.mem = higher(n.cpu, old.cpu), higher(n.disk, old.disk), higher(n.swap, old.swap), higher(n.mem, old.mem)
	}
	f.add(n)
}

func higher(a, b float64) float64 {
	if a != a || b > a { // a != a: not known
		return b
	}
	return a
}

// gauge is what the router last said about the queue of one app.
type gauge struct {
	t                int64
	inflight, queued float64
}
