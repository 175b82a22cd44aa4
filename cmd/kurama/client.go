package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"kurama/internal/client"
)

// clientCommands returns the commands that talk to the API.
func clientCommands() []*cobra.Command {
	all := []*cobra.Command{
		deployCommand(), gitCommand(), gitCredentialCommand(), appsCommand(), releasesCommand(), rollbackCommand(), restartCommand(), scaleCommand(),
		envCommand(), deleteCommand(), logsCommand(), archiveCommand(), profileCommand(), alertsCommand(),
		scalingCommand(), decisionsCommand(), runCommand(), openCommand(), loginCommand(), tokensCommand(),
		cronCommand(),
		tenantsCommand(), usersCommand(), auditCommand(), diskCommand(), joinCommand(), passwordCommand(), quotaCommand(), whatIfCommand(), volumesCommand(), databaseCommand(), routingCommand(), canaryCommand(), pipelineCommand(),
		egressCommand(), isolationCommand(), runtimeCommand(),
	}
	for _, c := range all {
		c.SetHelpTemplate(helpTemplate)
	}
	return all
}

// helpTemplate shows examples first: they are what most people look for.
const helpTemplate = `{{with (or .Long .Short)}}{{.}}

{{end}}{{if .HasExample}}{{.Example}}

{{end}}{{if .Runnable}}Usage: {{.UseLine}}
{{end}}{{if .HasAvailableSubCommands}}
Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}
{{end}}{{if .HasAvailableLocalFlags}}
Flags:
{{.LocalFlags.FlagUsages}}{{end}}
The address is KURAMA_URL, the token KURAMA_TOKEN or what ` + "`kurama login`" + ` has left.
`

// joinRoles makes one command of a role and a client's command that share a
// name: `kurama profile` runs the role, `kurama profile APP` asks it. It
// returns the roles that share theirs with nobody.
func joinRoles(roles, clients []*cobra.Command) []*cobra.Command {
	byName := map[string]*cobra.Command{}
	for _, c := range clients {
		byName[c.Name()] = c
	}
	var alone []*cobra.Command
	for _, role := range roles {
		c, shared := byName[role.Name()]
		if !shared {
			alone = append(alone, role)
			continue
		}
		asked, check := c.RunE, c.Args
		c.Args = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 || check == nil {
				return cobra.NoArgs(cmd, args)
			}
			return check(cmd, args)
		}
		c.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return role.RunE(cmd, args)
			}
			return asked(cmd, args)
		}
	}
	return alone
}

// session is one run of a client command: whom it asks, and how it speaks.
type session struct {
	*client.Client
	out  io.Writer // what was asked for
	err  io.Writer // what is said on the way
	json bool
	tty  bool // err is a terminal
	cmd  *cobra.Command
}

// asks makes cmd a client command: it gets the common flags, and do runs with
// a session.
func asks(cmd *cobra.Command, do func(s *session, args []string) error) *cobra.Command {
	asJSON := cmd.Flags().Bool("json", false, "print JSON")
	tenant := cmd.Flags().String("tenant", "", "tenant to act on (operators only)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := newSession(cmd, *tenant)
		if err != nil {
			return err
		}
		s.json = *asJSON
		return do(s, args)
	}
	return cmd
}

func newSession(cmd *cobra.Command, tenant string) (*session, error) {
	file, err := client.CredentialsFile()
	if err != nil {
		return nil, err
	}
	address, token, err := client.Find(os.Getenv, file, dataDir(cmd), "/var/lib/kurama")
	if err != nil {
		return nil, err
	}
	c, err := client.New(address, token, tenant)
	if err != nil {
		return nil, err
	}
	s := &session{Client: c, out: cmd.OutOrStdout(), err: cmd.ErrOrStderr(), cmd: cmd}
	if f, ok := s.err.(*os.File); ok {
		s.tty = term.IsTerminal(int(f.Fd()))
	}
	return s, nil
}

// dataDir is where an installation on this machine keeps its state.
func dataDir(cmd *cobra.Command) string {
	named, _ := cmd.Flags().GetString("data") // a command without the flag has none named
	dir := cmp.Or(named, os.Getenv("KURAMA_DATA"), "./data")
	if full, err := filepath.Abs(dir); err == nil {
		return full
	}
	return dir
}

// get asks for path and reads the answer into out.
func (s *session) get(path string, query url.Values, out any) error {
	return s.Call(s.cmd.Context(), "GET", path, query, nil, out)
}

// send sends in with method and reads the answer into out.
func (s *session) send(method, path string, in, out any) error {
	return s.Call(s.cmd.Context(), method, path, nil, in, out)
}

// appPath is the path of an app's resource.
func appPath(app string, rest ...string) string {
	path := "/apps/" + url.PathEscape(app)
	for _, r := range rest {
		path += "/" + url.PathEscape(r)
	}
	return path
}

// print writes v as JSON where that was asked for, and calls text otherwise.
func (s *session) print(v any, text func()) error {
	if !s.json {
		text()
		return nil
	}
	enc := json.NewEncoder(s.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// say tells what happens on the way, unless JSON was asked for.
func (s *session) say(format string, args ...any) {
	if !s.json {
		_, _ = fmt.Fprintf(s.err, format+"\n", args...)
	}
}

// done says that a step is done.
func (s *session) done(format string, args ...any) {
	s.say(s.green("✓")+" "+format, args...)
}
