package main

import (
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"kurama/logship/pipeline"
	"kurama/paas"
	"kurama/paas/api"
)

func pipelineCommand() *cobra.Command {
	var file string
	var dry bool
	cmd := &cobra.Command{Use: "pipeline APP", Short: "Which services take an app's records, and which of them",
		Long: "Shows an app's pipeline as it stands in kurama.yaml, or makes the one of a file its own. A change holds within two seconds; nothing restarts.",
		Example: `  kurama pipeline shop
  kurama pipeline shop > pipeline.yaml
  kurama pipeline shop --file pipeline.yaml
  kurama pipeline shop --file kurama.yaml --dry-run`, Args: cobra.ExactArgs(1)}
	cmd.Flags().StringVar(&file, "file", "", "YAML with the key pipeline, such as a kurama.yaml; - reads the standard input")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say whether the file could be, and change nothing")
	return asks(cmd, func(s *session, args []string) error {
		path := appPath(args[0], "pipeline")
		var view api.PipelineView
		if file == "" {
			if err := s.get(path, nil, &view); err != nil {
				return err
			}
			return s.print(view, func() { _, _ = fmt.Fprint(s.out, view.YAML) })
		}
		next, err := readPipeline(file, cmd.InOrStdin())
		if err != nil {
			return err
		}
		query := url.Values{}
		if dry {
			query.Set("dry_run", "true")
		}
		if err := s.Call(s.cmd.Context(), "PUT", path, query, next, &view); err != nil {
			return err
		}
		return s.print(view, func() {
			switch {
			case dry:
				s.done("the pipeline could be; nothing was changed")
			case view.Declared:
				s.done("the pipeline of %s is in force; its kurama.yaml sets its own at the next deploy", args[0])
			default:
				s.done("the pipeline of %s is in force", args[0])
			}
		})
	})
}

// readPipeline reads the pipeline of a file; "-" is in.
func readPipeline(file string, in io.Reader) (paas.Pipeline, error) {
	var text []byte
	var err error
	if file == "-" {
		text, err = io.ReadAll(io.LimitReader(in, 1<<20))
	} else {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return paas.Pipeline{}, fmt.Errorf("reading the pipeline: %w", err)
	}
	return pipeline.Parse(text)
}
