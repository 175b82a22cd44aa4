package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"kurama/internal/client"
)

// archiveVisits is how many requests make the records of the measurement.
const archiveVisits = 6000

// measureArchive lets the app work on orders, each a request, some log lines
// and now and then a traceback, and compares the bytes of its records, samples
// included, with those of the sealed files.
func (b *bench) measureArchive(ctx context.Context) error {
	p, err := b.up(ctx)
	if err != nil {
		return err
	}
	if err := p.ensureApp(ctx); err != nil {
		return err
	}
	for i := range archiveVisits {
		// A failure is one of the app's, as intended; only one that does not answer is ours.
		if _, err := fetch(ctx, p.appURL(fmt.Sprintf("/order/%d", 100_000+i*7))); err != nil && ctx.Err() != nil {
			return err
		}
	}
	if err := p.settle(ctx); err != nil {
		return err
	}
	began := time.Now()
	plain, err := p.api.Download(ctx, "/apps/"+appName+"/archive/download", url.Values{"format": {"jsonl"}}, client.Resume{},
		func(client.Answer) (io.Writer, error) { return io.Discard, nil })
	if err != nil {
		return err
	}
	took := time.Since(began)
	packed, err := archivedBytes(filepath.Join(p.data, "archive", "default", appName, "manifest.json"))
	if err != nil {
		return err
	}
	b.report.add(figure{Section: "archive", Name: "bytes of the records : bytes of the files", Unit: "", Value: float64(plain) / float64(packed),
		Peer: "the bound", PeerValue: 8, Aim: valueAtLeast(8)})
	b.say("%s MB of records in files of %s kB", number(float64(plain)/1e6), number(float64(packed)/1e3))
	b.report.add(figure{Section: "archive", Name: "download as JSON lines, sealing included", Unit: "MB/s", Value: float64(plain) / 1e6 / took.Seconds()})
	return nil
}

// archivedBytes sums up the files of a manifest.
func archivedBytes(path string) (bytes int64, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("reading the archive: %w", err)
	}
	var m struct {
		Files []struct {
			Bytes int64 `json:"bytes"`
		} `json:"files"`
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return 0, fmt.Errorf("reading %s: %w", path, err)
	}
	for _, f := range m.Files {
		bytes += f.Bytes
	}
	return bytes, nil
}
