// Package python carries the Python library that apps import as kurama, for
// the base image.
package python

import (
	"embed"
	"io/fs"
)

//go:embed kurama/*.py kurama.pth
var files embed.FS

// Files returns the library: the folder kurama and the file kurama.pth, both to
// be put into a folder of Python's site-packages (a .pth file works nowhere else).
func Files() fs.FS { return files }
