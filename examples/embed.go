// Package examples holds real apps that run on Kurama.
package examples

import (
	"embed"
	"io/fs"
)

//go:embed hello
var apps embed.FS

// Hello returns the demo app, deployed at the first start.
func Hello() fs.FS {
	sub, err := fs.Sub(apps, "hello")
	if err != nil {
		panic(err) // the folder is embedded: it cannot be missing
	}
	return sub
}
