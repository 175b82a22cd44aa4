package main

import (
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"kurama/internal/config"
	"kurama/paas"
)

type volumeDocument struct {
	Volumes []paas.Volume `json:"volumes"`
}

func volumesCommand() *cobra.Command {
	var sizeText string
	var yes bool
	cmd := &cobra.Command{Use: "volumes APP [add FOLDER | remove FOLDER]", Short: "Keep folders of an app across releases and restarts",
		Long: `Shows or changes the volumes of an app: folders below its source that outlive replicas and releases,
shared by the replicas that run at a time. A new one begins with what the release ships there.
kurama.yaml can name them, too: "volumes: {instance: 256MiB}".`,
		Example: `  kurama volumes shop
  kurama volumes shop add instance
  kurama volumes shop add data/uploads --size 1GiB
  kurama volumes shop remove data/uploads --yes`, Args: cobra.RangeArgs(1, 3)}
	cmd.Flags().StringVar(&sizeText, "size", "256MiB", "what a new volume can hold")
	cmd.Flags().BoolVar(&yes, "yes", false, "delete what the volume holds without asking")
	return asks(cmd, func(s *session, args []string) error {
		path := appPath(args[0], "volumes")
		var err error
		switch {
		case len(args) == 1:
			return s.showVolumes(path)
		case len(args) == 3 && args[1] == "add":
			err = s.addVolume(path, args[2], sizeText)
		case len(args) == 3 && args[1] == "remove" && !yes:
			return fmt.Errorf("removing the volume deletes all that is in `%s`: say --yes to do it", args[2])
		case len(args) == 3 && args[1] == "remove":
			if err = s.Call(s.cmd.Context(), "DELETE", path, url.Values{"path": {args[2]}}, nil, nil); err == nil {
				s.done("removed the volume at %s; the replicas restart without it", args[2])
			}
		default:
			return fmt.Errorf("use `volumes APP`, `volumes APP add FOLDER` or `volumes APP remove FOLDER`")
		}
		if err != nil {
			return err
		}
		return s.showVolumes(path)
	})
}

func (s *session) addVolume(path, folder, sizeText string) error {
	size, err := config.ParseBytes(sizeText)
	if err != nil {
		return fmt.Errorf("--size: %w", err)
	}
	if err := s.send("POST", path, map[string]any{"path": folder, "size": int64(size)}, nil); err != nil {
		return err
	}
	s.done("added a volume of %s at %s; the replicas restart with it", size, folder)
	return nil
}

func (s *session) showVolumes(path string) error {
	var doc volumeDocument
	if err := s.get(path, nil, &doc); err != nil {
		return err
	}
	return s.print(doc, func() {
		if len(doc.Volumes) == 0 {
			s.say("No volume: what the app writes is gone with its replica. Add one with `volumes APP add instance`.")
		}
		for _, v := range doc.Volumes {
			used := "not mounted yet"
			if v.Used != nil {
				used = size(*v.Used) + " used"
			}
			_, _ = fmt.Fprintf(s.out, "%-24s %s, %s\n", v.Path, config.Bytes(v.Size), used)
		}
	})
}
