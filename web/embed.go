// Package web holds the built pages of the console and the dashboard.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Pages returns the built pages: console.html, dashboard.html and assets/.
// Before `make web` it is empty but for a marker file.
func Pages() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the folder is embedded: it cannot be missing
	}
	return sub
}
