package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"

	"kurama/paas/api"
)

func openCommand() *cobra.Command {
	return asks(&cobra.Command{Use: "open APP", Short: "Open an app in the browser, and print its address", Example: "  kurama open hello", Args: cobra.ExactArgs(1)},
		func(s *session, args []string) error {
			var view api.AppView
			if err := s.get(appPath(args[0]), nil, &view); err != nil {
				return err
			}
			if s.json {
				return s.print(map[string]string{"app": view.Name, "address": view.Address}, nil)
			}
			_, _ = fmt.Fprintln(s.out, view.Address)
			browse(view.Address)
			return nil
		})
}

// browse opens an address where there is a desktop to open it on. The address
// was printed, so nothing is lost where there is none.
func browse(address string) {
	program := "xdg-open"
	if runtime.GOOS == "darwin" {
		program = "open"
	} else if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return
	}
	_ = exec.Command(path, address).Run()
}
