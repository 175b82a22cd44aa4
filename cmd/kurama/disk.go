package main

import (
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"kurama/paas"
	"kurama/paas/api"
)

func diskCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "disk", Short: "Show what releases, archives, volumes and databases take, by tenant", Args: cobra.NoArgs,
		Long: "Shows what takes the platform's disk. `collect` (operators) removes at once what otherwise goes with the next deploys:\n" +
			"sources beyond those kept for rollback, and layers and base images that no kept release needs. Nothing that others made is touched.",
		Example: "  kurama disk\n  kurama disk --tenant acme\n  kurama disk collect"}
	cmd.AddCommand(asks(&cobra.Command{Use: "collect", Short: "Remove what nobody needs", Args: cobra.NoArgs}, func(s *session, _ []string) error {
		var done api.Collected
		if err := s.send("POST", "/disk/collect", nil, &done); err != nil {
			return err
		}
		return s.print(done, func() { s.done("freed %s", size(done.Freed)) })
	}))
	return asks(cmd,
		func(s *session, _ []string) error {
			var r paas.DiskReport
			if err := s.get("/disk", nil, &r); err != nil {
				return err
			}
			return s.print(r, func() {
				rows := make([][]string, len(r.Tenants))
				for i, u := range r.Tenants {
					rows[i] = []string{u.Tenant, size(u.Releases), size(u.Archive), size(u.Volumes), size(u.Databases), size(u.Wheels), size(u.Output), size(u.Total), size(u.Layers)}
				}
				s.table("TENANT RELEASES ARCHIVE VOLUMES DATABASES WHEELS OUTPUT TOTAL LAYERS-USED", rows)
				if len(r.Shared) > 0 {
					rows = rows[:0]
					for _, name := range slices.Sorted(maps.Keys(r.Shared)) {
						rows = append(rows, []string{name, size(r.Shared[name])})
					}
					s.table("SHARED SIZE", rows)
				}
				s.say("%s of %s free; deploys are refused below %s", size(r.Free), size(r.Size), size(r.Refuse))
				if r.Spare > 0 {
					s.say("%s are needed by no kept release; `kurama disk collect` frees them", size(r.Spare))
				}
				if r.Says != "" {
					s.say("%s", r.Says)
				}
			})
		})
}
