package paas

import (
	"context"
	"io"
)

// Push is what somebody pushes to an app with git, on its way.
type Push struct {
	Tenant, App string
	Body        io.Reader // what git sends
	Answer      io.Writer // what git is sent; writes to it do not fail

	// Deploy deploys what was pushed and returns once that is live; the push is
	// refused when it fails. What it writes is shown to whoever pushes.
	Deploy func(ctx context.Context, p Pushed, say io.Writer) error
	// Explain makes a sentence of why a push is refused.
	Explain func(err error) string
}

// Pushed is a branch with its commit, as an upload.
type Pushed struct {
	Branch  string
	Commit  string   // short id and first line
	Remarks []string // what is left out of the upload, in sentences
	Upload  Upload
}
