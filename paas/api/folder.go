package api

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"strings"

	"kurama/paas"
)

// unquote undoes what browsers do to a part's name.
var unquote = strings.NewReplacer("%22", `"`, "%0D", "\r", "%0A", "\n")

// writeFolder writes the parts of a form, each a file whose path is the part's
// name, into a zip as they arrive: no second copy on disk, and one kind of
// upload less for whoever unpacks it. The names are checked there.
func writeFolder(w io.Writer, body io.Reader, boundary string, maxFiles int) error {
	if boundary == "" {
		return &paas.Invalid{Reason: "The form has no boundary in its Content-Type."}
	}
	parts, archive := multipart.NewReader(body, boundary), zip.NewWriter(w)
	for files := 0; ; files++ {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) && files > 0 {
			return archive.Close()
		}
		if err != nil {
			return brokenForm(err)
		}
		if files == maxFiles {
			return &paas.Invalid{Reason: fmt.Sprintf("The folder has more than %d files. Leave out what the app does not need (a venv, node_modules, .git).", maxFiles)}
		}
		if err := addPart(archive, part); err != nil {
			return err
		}
	}
}

func addPart(archive *zip.Writer, part *multipart.Part) error {
	name := unquote.Replace(part.FormName())
	if name == "" || strings.HasSuffix(name, "/") {
		return &paas.Invalid{Reason: fmt.Sprintf("A part of the form is named %q: name each part by the path of its file.", name)}
	}
	// Stored as it is: the zip lives for a moment, and packing costs CPU that
	// the apps want.
	file, err := archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	if err != nil {
		return fmt.Errorf("keeping an upload: %w", err)
	}
	_, err = io.Copy(file, part)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return brokenForm(err)
	}
	return err
}

// brokenForm says that the form cannot be read, unless err knows better.
func brokenForm(err error) error {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return &paas.Invalid{Reason: "The form is empty, or broke off before its end; nothing was stored. Send the folder again."}
}
