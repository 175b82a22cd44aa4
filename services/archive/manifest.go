package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	manifestName    = "manifest.json"
	positionName    = "position.json"
	manifestVersion = 1
	suffix          = ".jsonl.zst"
	openSuffix      = ".open"
	dayLayout       = "2006-01-02"
)

// File is one sealed file.
type File struct {
	Name    string    `json:"name"` // <day>/<first batch>-<last batch>.jsonl.zst, below the app's folder
	From    time.Time `json:"from"` // earliest time of its records
	To      time.Time `json:"to"`   // latest time of its records
	Records int       `json:"records"`
	Bytes   int64     `json:"bytes"`  // size of the file
	Index   int64     `json:"index"`  // size of the index at its end; 0: it has none
	SHA256  string    `json:"sha256"` // of the file, in hex
	First   uint64    `json:"first_seq"`
	Last    uint64    `json:"last_seq"`
	Epoch   int       `json:"epoch"` // number of the stream that its batches are of
	Parts   int       `json:"parts"` // sealed parts that were joined in it
}

// day returns the UTC day of the stream on which the records came in.
func (f *File) day() string { return filepath.Dir(f.Name) }

// Manifest lists the sealed files of an app, oldest first. What it does not
// list is not in the archive.
type Manifest struct {
	Version int    `json:"version"`
	Epoch   int    `json:"epoch"`    // number of the stream, raised when the stream was replaced
	LastSeq uint64 `json:"last_seq"` // records of batches up to it are sealed or were dropped by retention
	Files   []File `json:"files"`
	Removed int    `json:"removed_records,omitempty"` // records that went because the tenant's archive was full
}

// readManifest returns the manifest in folder, an empty one where there is none.
func readManifest(folder string) (Manifest, error) {
	m := Manifest{Version: manifestVersion}
	return m, readJSON(filepath.Join(folder, manifestName), &m, func() int { return m.Version })
}

// position is the content of position.json: everything up to Seq is sealed.
type position struct {
	Version int    `json:"version"`
	Epoch   int    `json:"epoch"`
	Stream  string `json:"stream"` // which stream it is
	Seq     uint64 `json:"seq"`
}

func readPosition(dir string) (position, error) {
	p := position{Version: manifestVersion}
	return p, readJSON(filepath.Join(dir, positionName), &p, func() int { return p.Version })
}

// readJSON fills v from the file at path; a file that is missing leaves it as
// it is.
func readJSON(path string, v any, version func() int) error {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the archive: %w", err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	if version() != manifestVersion {
		return fmt.Errorf("%s has version %d; this program reads version %d", path, version(), manifestVersion)
	}
	return nil
}

// writeJSON replaces the file at path in one step that survives a power cut.
func writeJSON(path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	temp := path + openSuffix
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	_, err = f.Write(append(b, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return rename(temp, path)
}

// rename puts a file into place and makes its name durable.
func rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("putting an archive file into place: %w", err)
	}
	return syncFolder(filepath.Dir(to))
}

// makeFolder makes a folder below one that exists, durably.
func makeFolder(path string) error {
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("making an archive folder: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("syncing an archive folder: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("syncing an archive folder: %w", err)
	}
	return nil
}
