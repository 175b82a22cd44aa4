package build

import (
	"io"
	"slices"
	"strings"

	"kurama/internal/config"
	"kurama/paas"
)

// ignoreFile at the top of an app says which of its files are not deployed.
const ignoreFile = ".kuramaignore"

// Bounds of it: every pattern is held against every name.
const (
	maxIgnore   = 64 << 10 // bytes
	maxPatterns = 100
	maxNames    = 32 // of a pattern, between its slashes
)

// leaveOut takes the targets away that the archive's own .kuramaignore names,
// before anything of them is written or counted.
func leaveOut(archive packed, targets []string) error {
	at := slices.Index(targets, ignoreFile)
	if at < 0 {
		return nil
	}
	var text []byte
	err := archive.unpack(func(i int, body io.Reader) (err error) {
		if i == at {
			if text, err = io.ReadAll(io.LimitReader(body, maxIgnore+1)); err != nil {
				err = damaged(ignoreFile, err)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	ignore := paas.ParseIgnore(string(text))
	if len(text) > maxIgnore || ignore.Len() > maxPatterns {
		return invalid("`%s` is larger than %s, or has more than %d patterns. Name folders rather than files. %s", ignoreFile, config.Bytes(maxIgnore), maxPatterns, nothingStored)
	}
	for n, line := range strings.Split(string(text), "\n") {
		if strings.Count(line, "/") >= maxNames {
			return invalid("Line %d of `%s` has more than %d names between its slashes, deeper than any app goes. %s", n+1, ignoreFile, maxNames, nothingStored)
		}
	}
	left, below := 0, ignore.Below()
	for i, name := range targets {
		if i != at && name != "" && below(name) {
			targets[i] = ""
		} else if i != at && name != "" {
			left++
		}
	}
	if left == 0 {
		return invalid("`%s` leaves no file to deploy: look at its patterns. %s", ignoreFile, nothingStored)
	}
	return nil
}
