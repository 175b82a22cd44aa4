package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	victoriaRounds = 3
	victoriaBatch  = 5000 // lines of a request
	victoriaConns  = 2    // the most that gained anything
	// victoriaModule is the newest version with VictoriaLogs in it that the
	// module proxy hands out; later ones are a module of their own.
	victoriaModule  = "github.com/VictoriaMetrics/VictoriaMetrics"
	victoriaVersion = "v1.115.0"
)

// measureVictoriaLogs sends the same lines to VictoriaLogs, in turns with the
// ingest through every sink of Kurama. Both answers are told apart: when the
// last line was taken, which is when VictoriaLogs holds it in memory, and when
// a question finds it.
func (b *bench) measureVictoriaLogs(ctx context.Context) error {
	program, err := b.victoriaLogs(ctx)
	if err != nil {
		b.say("not compared: %v", err)
		return nil
	}
	p, err := b.up(ctx)
	if err != nil {
		return err
	}
	var ours leg
	var taken, found, cpu, held []float64
	for round := range victoriaRounds {
		if err := p.ingest(ctx, fmt.Sprintf("%d-victoria", round), &ours); err != nil {
			return err
		}
		if err := p.settle(ctx); err != nil {
			return err
		}
		r, err := p.victoriaRound(ctx, program, fmt.Sprintf("%d-logs", round))
		if err != nil {
			return err
		}
		taken, found = append(taken, ingestRecords/r.taken.Seconds()), append(found, ingestRecords/r.found.Seconds())
		cpu, held = append(cpu, r.cpu.Seconds()/ingestRecords*1e6), append(held, r.held)
	}
	add := func(name, unit string, runs []float64, peer string, peers []float64, goal *aim) {
		b.report.add(figure{Section: "victorialogs", Name: name, Unit: unit, Runs: runs, Peer: peer, PeerRuns: peers, Aim: goal})
	}
	const way = "agent's socket → row, every sink at work"
	add(way, "rows/s", ours.rates, "VictoriaLogs, until a question finds all", found, nil)
	add(way, "rows/s", ours.rates, "VictoriaLogs, until it has taken all", taken, ratioAtLeast(1))
	add("cost with every sink and Postgres", "CPU s per million", ours.cpu, "VictoriaLogs", cpu, nil)
	b.say("VictoriaLogs held up to %s MiB", number(median(held)))
	return nil
}

// victoriaLogs returns the program, which it builds where it is missing, in a
// module of its own.
func (b *bench) victoriaLogs(ctx context.Context) (string, error) {
	if program, err := exec.LookPath("victoria-logs"); err == nil {
		return program, nil
	}
	program := filepath.Join(b.root, ".tools", "victoria-logs-"+victoriaVersion)
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	b.say("building VictoriaLogs of %s %s", victoriaModule, victoriaVersion)
	out, err := goCommand(ctx, os.TempDir(), "mod", "download", "-json", victoriaModule+"@"+victoriaVersion)
	if err != nil {
		return "", fmt.Errorf("VictoriaLogs cannot be had here: %w", err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return "", fmt.Errorf("reading what go mod download says: %w", err)
	}
	dir, err := os.MkdirTemp("", "kurama-bench-victoria-")
	if err != nil {
		return "", fmt.Errorf("making a folder to build VictoriaLogs in: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := copyVictoria(dir, module.Dir); err != nil {
		return "", fmt.Errorf("preparing the build of VictoriaLogs: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		return "", fmt.Errorf("making a folder for VictoriaLogs: %w", err)
	}
	if _, err := goCommand(ctx, dir, "build", "-mod=mod", "-trimpath", "-o", program, "./app/victoria-logs"); err != nil {
		return "", fmt.Errorf("VictoriaLogs cannot be built here: %w", err)
	}
	return program, nil
}

// victoriaPadding is a line of victoriaPadded that Go 1.26 refuses as a type that contains
// itself. It keeps neighbours off one cache line, and as many bytes as it may
// come to do so too.
const (
	victoriaPadded  = "lib/logstorage/pipe_stats.go"
	victoriaPadding = "_ [128 - unsafe.Sizeof(pipeStatsProcessorShardNopad{})%128]byte"
)

// copyVictoria copies what the program is built from.
func copyVictoria(dir, module string) error {
	for _, name := range []string{"app", "lib"} {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join(module, name))); err != nil {
			return err
		}
	}
	for _, name := range []string{"go.mod", "go.sum", victoriaPadded} {
		text, err := os.ReadFile(filepath.Join(module, name))
		if err != nil {
			return err
		}
		path := filepath.Join(dir, name)
		_ = os.Remove(path) // a copied one may not be written
		if err := os.WriteFile(path, bytes.Replace(text, []byte(victoriaPadding), []byte("_ [128]byte"), 1), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// goCommand runs the go command in a folder and returns what it printed.
func goCommand(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	var errs bytes.Buffer
	cmd.Dir, cmd.Stderr, cmd.Env = dir, &errs, append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s %s: %w: %s", args[0], args[1], err, strings.TrimSpace(errs.String()+string(out)))
	}
	return out, nil
}

// victoriaRun is one round of VictoriaLogs.
type victoriaRun struct {
	taken, found time.Duration // from the first byte to the last answer, and until a question finds all lines
	cpu          time.Duration
	held         float64 // MiB, at most
}

// victoriaRound starts VictoriaLogs on an empty folder, sends it a load and
// ends it.
func (p *platform) victoriaRound(ctx context.Context, program, mark string) (r victoriaRun, err error) {
	ports, err := freePorts(1)
	if err != nil {
		return r, err
	}
	dir := filepath.Join(p.data, "victoria-"+mark)
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	out := &output{}
	cmd := exec.Command(program, "-storageDataPath="+dir, "-httpListenAddr=127.0.0.1:"+ports[0], "-loggerLevel=WARN")
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = out, out, &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return r, fmt.Errorf("starting VictoriaLogs: %w", err)
	}
	defer func() {
		err = errors.Join(err, cmd.Process.Signal(syscall.SIGTERM), cmd.Wait())
	}()
	v := victoria{address: "http://127.0.0.1:" + ports[0]}
	for v.count(ctx) != nil { // until it answers
		select {
		case <-ctx.Done():
			return r, fmt.Errorf("VictoriaLogs does not answer: %w\n%s", ctx.Err(), out)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return v.measure(ctx, newLoad(ingestRecords, mark), cmd.Process.Pid)
}

// victoria is a running VictoriaLogs.
type victoria struct {
	address string
	lines   int // as of the last count
}

func (v *victoria) measure(ctx context.Context, work *load, pid int) (r victoriaRun, err error) {
	before, err := use(pid)
	if err != nil {
		return r, err
	}
	began := time.Now()
	if err := v.send(ctx, work); err != nil {
		return r, err
	}
	r.taken = time.Since(began)
	for v.lines < work.records {
		if err := v.count(ctx); err != nil {
			return r, err
		}
		time.Sleep(20 * time.Millisecond)
	}
	r.found = time.Since(began)
	after, err := use(pid)
	if err != nil {
		return r, err
	}
	if v.lines != work.records {
		return r, fmt.Errorf("of %d lines VictoriaLogs has %d", work.records, v.lines)
	}
	held, err := memoryOf(pid)
	r.cpu, r.held = after.since(before).total, held.peak
	return r, err
}

// send posts the lines in batches over some connections, each of which waits
// for the answer before it sends the next.
func (v *victoria) send(ctx context.Context, work *load) error {
	batches := make(chan []byte, victoriaConns)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(batches)
		for rest := work.lines; len(rest) > 0; {
			end := 0
			for range victoriaBatch {
				i := bytes.IndexByte(rest[end:], '\n')
				if i < 0 {
					break
				}
				end += i + 1
			}
			select {
			case batches <- rest[:end]:
				rest = rest[end:]
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	// Fields that part the store as Kurama's index does.
	into := v.address + "/insert/jsonline?" + url.Values{"_stream_fields": {"tenant,app"}, "_time_field": {"ts"}, "_msg_field": {"msg"}}.Encode()
	for range victoriaConns {
		group.Go(func() error {
			for batch := range batches {
				if _, err := v.post(ctx, into, "application/stream+json", bytes.NewReader(batch)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// count asks how many lines a question finds.
func (v *victoria) count(ctx context.Context) error {
	body := strings.NewReader(url.Values{"query": {"* | stats count() lines"}}.Encode())
	text, err := v.post(ctx, v.address+"/select/logsql/query", "application/x-www-form-urlencoded", body)
	if err != nil {
		return err
	}
	var found struct {
		Lines string `json:"lines"`
	}
	if err := json.Unmarshal(text, &found); err != nil {
		return fmt.Errorf("reading what VictoriaLogs answers, %q: %w", text, err)
	}
	v.lines, err = strconv.Atoi(found.Lines)
	return err
}

func (v *victoria) post(ctx context.Context, address, kind string, body io.Reader) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, body)
	if err != nil {
		return nil, fmt.Errorf("asking VictoriaLogs: %w", err)
	}
	req.Header.Set("Content-Type", kind)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking VictoriaLogs: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("it answered %s: %s", resp.Status, text)
	}
	if err != nil {
		return nil, fmt.Errorf("asking VictoriaLogs: %w", err)
	}
	return text, nil
}
