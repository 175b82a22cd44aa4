package main

import (
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"kurama/paas"
)

func diskCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "disk", Short: "Show what releases, archives and volumes take, by tenant", Args: cobra.NoArgs,
		Example: "  kurama disk\n  kurama disk --tenant acme"},
		func(s *session, _ []string) error {
			var r paas.DiskReport
			if err := s.get("/disk", nil, &r); err != nil {
				return err
			}
			return s.print(r, func() {
				rows := make([][]string, len(r.Tenants))
				for i, u := range r.Tenants {
					rows[i] = []string{u.Tenant, size(u.Releases), size(u.Archive), size(u.Volumes), size(u.Total)}
				}
				s.table("TENANT RELEASES ARCHIVE VOLUMES TOTAL", rows)
				if len(r.Shared) > 0 {
					rows = rows[:0]
					for _, name := range slices.Sorted(maps.Keys(r.Shared)) {
						rows = append(rows, []string{name, size(r.Shared[name])})
					}
					s.table("SHARED SIZE", rows)
				}
				s.say("%s of %s free; deploys are refused below %s", size(r.Free), size(r.Size), size(r.Refuse))
				if r.Says != "" {
					s.say("%s", r.Says)
				}
			})
		})
}
