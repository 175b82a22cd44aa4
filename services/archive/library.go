package archive

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"kurama/internal/config"
	"kurama/logship/pipeline"
	"kurama/logship/record"
	"kurama/logship/stream"
	"kurama/paas"
)

// Folders that no tenant and no app can have: names begin with a letter.
const (
	hostFolder  = "_host/_host"   // the host's samples, which belong to no app
	otherFolder = "_other/_other" // lines that are no record, or whose names are no names
)

// library is the archive while the role works on it: all shelves, and how far
// the stream was read. It belongs to one goroutine.
type library struct {
	dir     string
	cfg     config.Archive
	gate    *pipeline.Gate
	log     *slog.Logger
	fault   func(step string) error
	zstd    *zstd.Encoder
	shelves map[string]*shelf

	epoch    int
	stream   string    // which stream is read; "" where that is not known yet
	position uint64    // on disk: everything up to it is sealed
	consumed uint64    // everything up to it is in a part or a file
	clock    time.Time // when the stream took the last batch that was consumed

	names   map[appName]string // folders by app: checking names costs more than finding them
	scratch []byte             // memory of a batch
}

type appName struct{ tenant, app string }

// maxNames bounds the folders that are remembered.
const maxNames = 10_000

// openLibrary reads what is on disk. gate says what comes in.
func openLibrary(dir string, cfg config.Archive, gate *pipeline.Gate, log *slog.Logger, fault func(string) error) (*library, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the archive's folder: %w", err)
	}
	// On frames of records the quickest level packs as well as the default one, in little more than half of the time.
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, fmt.Errorf("starting zstd: %w", err)
	}
	p, err := readPosition(dir)
	if err != nil {
		return nil, err
	}
	l := &library{dir: dir, cfg: cfg, gate: gate, log: log, fault: fault, zstd: enc, shelves: map[string]*shelf{}, names: map[appName]string{},
		epoch: p.Epoch, stream: p.Stream, position: p.Seq, consumed: p.Seq}
	folders, err := filepath.Glob(filepath.Join(dir, "*", "*", manifestName))
	if err != nil {
		return nil, fmt.Errorf("listing the archive: %w", err)
	}
	for _, path := range folders {
		name, err := filepath.Rel(dir, filepath.Dir(path))
		if err != nil {
			return nil, fmt.Errorf("listing the archive: %w", err)
		}
		s, err := l.shelf(filepath.ToSlash(name))
		if err != nil {
			return nil, err
		}
		l.epoch = max(l.epoch, s.manifest.Epoch)
	}
	return l, nil
}

// close gives up the open parts.
func (l *library) close() {
	for _, s := range l.shelves {
		if s.part != nil {
			s.part.discard()
		}
	}
}

// newest returns the newest batch of the present stream that is on disk.
func (l *library) newest() uint64 {
	seq := l.position
	for _, s := range l.shelves {
		if s.manifest.Epoch == l.epoch {
			seq = max(seq, s.manifest.LastSeq)
		}
	}
	return seq
}

// newEpoch begins to count batches anew, for a stream that took the place of
// the former one.
func (l *library) newEpoch(now stream.State) error {
	l.log.Error("the stream was replaced; it is read from its beginning", "position", l.position, "last", now.Last)
	l.epoch++
	l.consumed, l.stream = 0, now.ID
	return l.savePosition()
}

// shelf returns the shelf of a folder, made where it is missing.
func (l *library) shelf(name string) (*shelf, error) {
	if s := l.shelves[name]; s != nil {
		return s, nil
	}
	folder := filepath.Join(l.dir, filepath.FromSlash(name))
	if err := makeFolder(filepath.Dir(folder)); err != nil {
		return nil, err
	}
	if err := makeFolder(folder); err != nil {
		return nil, err
	}
	s, err := openShelf(folder, l.zstd, l.log, l.fault)
	if err != nil {
		return nil, err
	}
	l.shelves[name] = s
	return s, nil
}

// add puts the lines of a batch on the shelves of their apps. It returns how
// many were records and how many were not; the latter are kept apart.
func (l *library) add(b *stream.Batch) (records, skipped int, err error) {
	window := b.At.UTC().Truncate(l.cfg.SealAge)
	var r record.Record
	for rest := b.Lines(&l.scratch); len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		if len(line) == 0 {
			continue
		}
		name, at := otherFolder, b.At.UTC()
		if record.DecodeOwner(line, &r) == nil {
			if !l.takes(line, &r) {
				continue
			}
			records++
			name = l.folderOf(r.Tenant, r.App)
			if !r.Time.IsZero() {
				at = r.Time
			}
		} else {
			skipped++
		}
		if err := l.addLine(name, line, b.Seq, window, at); err != nil {
			return 0, 0, err
		}
	}
	l.consumed, l.clock = b.Seq, b.At
	if skipped > 0 {
		l.log.Warn("lines of a batch are no records; they are kept apart", "seq", b.Seq, "batch", b.ID, "lines", skipped, "folder", otherFolder)
	}
	return records, skipped, nil
}

// takes reports whether the line, whose owner is read, comes in. Only where its
// app has a pipeline is more of it read.
func (l *library) takes(line []byte, owner *record.Record) bool {
	if !l.gate.Decides(owner.Tenant, owner.App) {
		return true
	}
	var whole record.Record
	return record.Decode(line, &whole) != nil || l.gate.Takes(&whole)
}

func (l *library) addLine(name string, line []byte, seq uint64, window, at time.Time) error {
	s, err := l.shelf(name)
	if err != nil {
		return err
	}
	if s.has(l.epoch, seq) {
		return nil
	}
	if p := s.part; p != nil && p.info.Last < seq && (!p.window.Equal(window) || p.info.Records >= l.cfg.SealRecords) {
		if err := s.seal(l.epoch); err != nil {
			return err
		}
	}
	if err := s.begin(seq, window, l.zstd); err != nil {
		return err
	}
	return s.part.add(line, seq, at)
}

// sealGrace is how long after the end of its window a part waits for batches
// that the stream's clock, which is not this host's, still puts into it.
const sealGrace = 2 * time.Second

// sealDue seals the parts that are full, and those whose window is over: by
// the stream's clock, or, where everything on it was read (idle), by this
// host's. So the files are cut at the same batches whenever the stream is read,
// also after a crash.
func (l *library) sealDue(now time.Time, idle bool) error {
	return l.sealWhere(func(p *part) bool {
		end := p.window.Add(l.cfg.SealAge)
		set := p.window.After(l.clock) // the clock was set back: the window would be over much later
		return p.info.Records >= l.cfg.SealRecords || !l.clock.Before(end) || set || idle && now.Sub(end) >= sealGrace
	})
}

// sealWhere seals the parts that due chooses. The position moves last: were it
// lost, the manifests would still tell what not to store again.
func (l *library) sealWhere(due func(*part) bool) error {
	sealed := false
	for _, s := range l.shelves {
		if s.part == nil || !due(s.part) {
			continue
		}
		if err := s.seal(l.epoch); err != nil {
			return err
		}
		if err := s.join(""); err != nil {
			return err
		}
		sealed = true
	}
	if !sealed {
		return nil
	}
	return l.savePosition()
}

// savePosition stores the batch before the first that is not wholly sealed.
func (l *library) savePosition() error {
	if err := l.fault("position"); err != nil {
		return err
	}
	seq := l.consumed
	for _, s := range l.shelves {
		if s.part != nil {
			seq = min(seq, s.part.info.First-1)
		}
	}
	l.position = seq
	return writeJSON(filepath.Join(l.dir, positionName), position{Version: manifestVersion, Epoch: l.epoch, Stream: l.stream, Seq: seq})
}

// tidy drops what is beyond the retention or the bound of its tenant, and joins
// what days have left.
func (l *library) tidy(now time.Time) error {
	for name, s := range l.shelves {
		tenant, app, _ := strings.Cut(name, "/")
		keep, err := readLimits(l.dir, tenant, l.cfg)
		if err != nil {
			return err
		}
		kept := keep.Retention()
		if days := l.gate.RetentionDays(tenant, app); days > 0 {
			kept = min(kept, time.Duration(days)*24*time.Hour)
		}
		if err := s.expire(now.UTC().Add(-kept).Format(dayLayout)); err != nil {
			return err
		}
		if err := s.join(now.UTC().Format(dayLayout)); err != nil {
			return err
		}
	}
	return l.bound()
}

// folderOf returns the folder of an app below the archive's, with slashes.
func (l *library) folderOf(tenant, app string) string {
	if name, ok := l.names[appName{tenant, app}]; ok {
		return name
	}
	name := folderOf(tenant, app)
	if len(l.names) < maxNames {
		l.names[appName{strings.Clone(tenant), strings.Clone(app)}] = name
	}
	return name
}

func folderOf(tenant, app string) string {
	switch {
	case tenant == "" && app == "":
		return hostFolder
	case paas.CheckName("a tenant", tenant) == nil && paas.CheckName("an app", app) == nil:
		return tenant + "/" + app
	}
	return otherFolder
}
