package runtime

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"

	"kurama/paas"
)

// The apps of a tenant reach one another through the router, by the names
// <app>.internal: containers reach no other container, so each has a file
// /etc/hosts of its own, in the folder of its socket, that leads these names to
// the host's address on the tenant's bridge. It is written in place, since a
// container goes on to see the file that was mounted.

// hostsName is the file in a replica's socket folder.
const hostsName = "hosts"

// names are the apps of the tenants, as they were told last.
type names struct {
	mu   sync.Mutex // held while files are written, too
	apps map[string][]string
	late map[string]bool // tenants of whose files some may not say so yet
}

func (e *Engine) hostsFile(replica string) string {
	return filepath.Join(e.socketFolder(replica), hostsName)
}

// Networks returns the networks of the tenants.
func (e *Engine) Networks(ctx context.Context) ([]paas.Network, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.listed {
		own := filters.NewArgs(filters.Arg("label", LabelInstance+"="+e.opts.Instance), filters.Arg("label", LabelKind+"="+KindNetwork))
		found, err := e.docker.NetworkList(ctx, network.ListOptions{Filters: own})
		if err != nil {
			return nil, fmt.Errorf("networks of the tenants: %w", err)
		}
		for _, n := range found {
			e.noteNetwork(n.Labels[LabelTenant], n)
		}
		e.listed = true
	}
	var all []paas.Network
	for tenant, subnet := range e.nets {
		if tenant != buildNetwork {
			all = append(all, paas.Network{Tenant: tenant, Range: subnet})
		}
	}
	slices.SortFunc(all, func(a, b paas.Network) int { return strings.Compare(a.Tenant, b.Tenant) })
	return all, nil
}

func (e *Engine) noteNetwork(tenant string, n network.Inspect) {
	for _, c := range n.IPAM.Config {
		if p, err := netip.ParsePrefix(c.Subnet); err == nil {
			e.nets[tenant] = p.Masked()
		}
	}
}

// gateway returns the host's address on a tenant's bridge, "" before it has one.
func (e *Engine) gateway(tenant string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if subnet, ok := e.nets[tenant]; ok {
		return subnet.Addr().Next().String()
	}
	return ""
}

// Announce tells the containers of each tenant the names of its apps. What they
// know already costs nothing.
func (e *Engine) Announce(apps map[string][]string) error {
	if e.opts.RouterPort == 0 {
		return nil
	}
	e.names.mu.Lock()
	defer e.names.mu.Unlock()
	if e.names.late == nil {
		e.names.late = map[string]bool{}
	}
	for tenant, list := range apps {
		if !slices.Equal(list, e.names.apps[tenant]) {
			e.names.late[tenant] = true
		}
	}
	e.names.apps = apps
	if len(e.names.late) == 0 {
		return nil
	}
	files, err := filepath.Glob(e.hostsFile("*"))
	for _, file := range files {
		h, readErr := readHosts(file)
		if errors.Is(readErr, fs.ErrNotExist) || readErr == nil && !e.names.late[h.tenant] {
			continue
		}
		if readErr == nil {
			readErr = e.put(file, h)
		}
		err = errors.Join(err, readErr)
	}
	if err == nil { // else all are written again the next time
		clear(e.names.late)
	}
	return err
}

// hosts is what a replica's file says of itself, in its first line.
type hosts struct{ tenant, app, address string }

// hostsForm is that line; the address is - until it is known.
const hostsForm = "# kurama %s %s %s\n"

func readHosts(file string) (h hosts, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return h, err
	}
	if _, err := fmt.Sscanf(string(text), hostsForm, &h.tenant, &h.app, &h.address); err != nil {
		return h, fmt.Errorf("%s says nothing of its replica: %w", file, err)
	}
	return h, nil
}

// writeHosts makes the file of a replica before its container is made.
func (e *Engine) writeHosts(replica, tenant, app, address string) error {
	e.names.mu.Lock()
	defer e.names.mu.Unlock()
	return e.put(e.hostsFile(replica), hosts{tenant, app, address})
}

// remakeHosts writes the file of a container that ended: a reboot may have taken
// it, and without it the container cannot start.
func (e *Engine) remakeHosts(ctx context.Context, replica string) error {
	found, err := e.Inspect(ctx, replica)
	if err != nil {
		return err
	}
	return e.writeHosts(replica, found.Tenant, found.App, "")
}

// put writes a file in place. The caller holds names.mu.
func (e *Engine) put(file string, h hosts) error {
	own, told := h.address, h.address
	if own == "" || own == "-" {
		own, told = "127.0.1.1", "-" // as Debian does for a host without an address
	}
	var text strings.Builder
	fmt.Fprintf(&text, hostsForm, h.tenant, h.app, told)
	fmt.Fprintf(&text, "127.0.0.1 localhost\n::1 localhost ip6-localhost\n%s %s\n", own, h.app)
	if gateway := e.gateway(h.tenant); gateway != "" {
		for _, app := range e.names.apps[h.tenant] {
			fmt.Fprintf(&text, "%s %s%s\n", gateway, app, paas.InternalSuffix)
		}
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("names for a replica: %w", err)
	}
	_, err = f.WriteAt([]byte(text.String()), 0)
	return errors.Join(err, f.Truncate(int64(text.Len())), f.Chmod(0o644), f.Close())
}

// extraHosts are the names for a container that lives too short to be told of
// others.
func (e *Engine) extraHosts(tenant string) (list []string) {
	gateway := e.gateway(tenant)
	e.names.mu.Lock()
	defer e.names.mu.Unlock()
	for _, app := range e.names.apps[tenant] {
		if gateway != "" {
			list = append(list, app+paas.InternalSuffix+":"+gateway)
		}
	}
	return list
}

// introduce returns what the engine says about a replica that has just begun,
// and tells the replica its own address.
func (e *Engine) introduce(ctx context.Context, replica string) (paas.Container, error) {
	found, err := e.Inspect(ctx, replica)
	if err != nil {
		return found, err
	}
	if host, _, err := net.SplitHostPort(found.Address); err == nil {
		if err := e.writeHosts(replica, found.Tenant, found.App, host); err != nil {
			return found, err
		}
	}
	return found, nil
}
