package paas

import "time"

// UploadType is the form in which an app arrived.
type UploadType string

// The forms of an upload.
const (
	UploadZip   UploadType = "zip"
	UploadTarGz UploadType = "tar.gz"
	UploadPy    UploadType = "py" // one Python file
)

// Upload is a received app, a file on disk that belongs to whoever is given it.
// A folder dropped in the browser arrives as a zip made on receipt.
type Upload struct {
	Path string
	Type UploadType
	Name string // file name as sent

	Commit string // what was pushed with git: short id and first line; empty for any other upload
	Canary int    // percent of the clients that the release is for at first; 0: it is to go live
}

// BuildLine is one line of a release's build log.
type BuildLine struct {
	N    int       `json:"n"`
	At   time.Time `json:"at"`
	Step string    `json:"step"`
	Line string    `json:"line"`
}
