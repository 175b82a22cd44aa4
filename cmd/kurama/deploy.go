package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"kurama/internal/client"
	"kurama/paas"
)

func deployCommand() *cobra.Command {
	var app string
	var verbose bool
	var canary int
	cmd := &cobra.Command{
		Use:   "deploy PATH",
		Short: "Put an app online",
		Long: `Puts an app online: a folder, a zip, a tar.gz or one Python file. What .gitignore and
.kuramaignore name stays at home. The last line is the address of the app.`,
		Example: `  kurama deploy .
  kurama deploy ./hello --app greeter
  kurama deploy . --canary 10              for 10 % of the clients; see kurama canary
  kurama deploy app.py --app hello --json`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&app, "app", "", "name of the app (default the name of the folder or file)")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "show each line of the build log")
	cmd.Flags().IntVar(&canary, "canary", 0, "percent of the clients that get the release until it is promoted")
	return asks(cmd, func(s *session, args []string) error {
		path, err := filepath.Abs(args[0])
		if err != nil {
			return fmt.Errorf("finding %s: %w", args[0], err)
		}
		if app == "" {
			app = client.AppName(path)
		}
		if err := paas.CheckName("an app", app); err != nil {
			return fmt.Errorf("%w. Name the app with --app", err)
		}
		release, err := s.upload(path, app, canary)
		if err != nil {
			return err
		}
		return s.follow(release, verbose)
	})
}

// upload packs and sends what lies at path.
func (s *session) upload(path, app string, canary int) (paas.Release, error) {
	began := time.Now()
	packed, err := client.Pack(path)
	if err != nil {
		return paas.Release{}, err
	}
	defer func() { _ = packed.Close() }()
	for _, name := range packed.LeftOut {
		s.say("! %s is left out: it is a link or no file", name)
	}
	if packed.Files > 0 {
		s.done("packed %s, %s  %s", count(packed.Files, "file"), size(packed.Bytes), spoken(time.Since(began)))
	}
	f, err := os.Open(packed.Path)
	if err != nil {
		return paas.Release{}, fmt.Errorf("sending %s: %w", path, err)
	}
	defer func() { _ = f.Close() }()
	began = time.Now()
	progress := s.bar("uploading", packed.Bytes)
	progress.Reader = f
	var release paas.Release
	err = s.Send(s.cmd.Context(), appPath(app, "releases")+canaryQuery(canary), client.Upload{Body: progress, Size: packed.Bytes,
		ContentType: packed.ContentType, FileName: packed.FileName}, &release)
	progress.end()
	if err == nil {
		s.done("uploaded %s  %s", size(packed.Bytes), spoken(time.Since(began)))
	}
	return release, err
}

func canaryQuery(share int) string {
	if share == 0 {
		return ""
	}
	return fmt.Sprintf("?canary=%d", share)
}
