package runtime

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"

	"kurama/internal/config"
)

// buildNetwork cannot be a tenant's name, so builds meet no app.
const buildNetwork = ".build"

// network returns the name of the tenant's network, which is made where it is
// missing, and sees to the packet filter around it.
func (e *Engine) network(ctx context.Context, tenant string) (string, error) {
	if err := e.outside.once(ctx, e); err != nil {
		return "", err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	name := e.networkName(tenant)
	if e.ensured[name] {
		return name, nil
	}
	found, err := e.docker.NetworkInspect(ctx, name, network.InspectOptions{})
	if err == nil {
		e.noteNetwork(tenant, found)
	} else if err := e.makeNetwork(ctx, name, tenant); err != nil {
		return "", fmt.Errorf("network of tenant %s: %w", tenant, err)
	}
	e.filter.apply(ctx)
	e.ensured[name] = true
	return name, nil
}

func (e *Engine) networkName(tenant string) string { return "kr-" + e.opts.Instance + "-" + tenant }

func (e *Engine) forget(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.ensured, name)
}

func (e *Engine) forgetAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.ensured)
}

// BuildNetwork returns the name of the network that dependencies are built in.
// Beside the internet it reaches the addresses of allow, which are the host's
// own package index and proxy where those are private.
func (e *Engine) BuildNetwork(ctx context.Context, allow []netip.AddrPort) (string, error) {
	e.mu.Lock()
	e.filter.allow(bridgeName(e.opts.Instance, buildNetwork), allow)
	delete(e.ensured, e.networkName(buildNetwork))
	e.mu.Unlock()
	return e.network(ctx, buildNetwork)
}

// makeNetwork makes a network on the first free subnet of the pool. Subnets
// are given explicitly because an engine's own pool ends after some thirty.
func (e *Engine) makeNetwork(ctx context.Context, name, tenant string) error {
	used, err := e.usedSubnets(ctx)
	if err != nil {
		return err
	}
	var refused error
	for range 16 { // another installation may take a subnet between our look and our call
		subnet, err := freeSubnet(e.cfg, used)
		if err != nil {
			return errors.Join(err, refused)
		}
		_, refused = e.docker.NetworkCreate(ctx, name, network.CreateOptions{
			Driver: "bridge",
			IPAM:   &network.IPAM{Config: []network.IPAMConfig{{Subnet: subnet.String(), Gateway: subnet.Addr().Next().String()}}},
			Options: map[string]string{
				"com.docker.network.bridge.name":       bridgeName(e.opts.Instance, tenant),
				"com.docker.network.bridge.enable_icc": "false",
				"com.docker.network.driver.mtu":        strconv.Itoa(hostMTU()),
			},
			Labels: map[string]string{LabelInstance: e.opts.Instance, LabelKind: KindNetwork, LabelTenant: tenant},
		})
		if refused == nil {
			e.nets[tenant] = subnet
			return nil
		}
		if !strings.Contains(refused.Error(), "overlap") {
			return refused
		}
		used = append(used, subnet)
	}
	return refused
}

// usedSubnets returns the subnets of all of the engine's networks, whoever made
// them, and of the host's own interfaces.
func (e *Engine) usedSubnets(ctx context.Context) ([]netip.Prefix, error) {
	networks, err := e.docker.NetworkList(ctx, network.ListOptions{})
	if err != nil {
		return nil, err
	}
	var used []netip.Prefix
	for _, n := range networks {
		for _, c := range n.IPAM.Config {
			if p, err := netip.ParsePrefix(c.Subnet); err == nil {
				used = append(used, p.Masked())
			}
		}
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			used = append(used, p.Masked())
		}
	}
	return used, nil
}

// freeSubnet cuts the first subnet out of the pool that overlaps none in use.
func freeSubnet(cfg config.Docker, used []netip.Prefix) (netip.Prefix, error) {
	pool, err := netip.ParsePrefix(cfg.NetworkPool)
	if err != nil || !pool.Addr().Is4() || cfg.NetworkSize < pool.Bits() || cfg.NetworkSize > 29 {
		return netip.Prefix{}, fmt.Errorf("docker.network_pool %q with docker.network_size %d gives no subnet: use an IPv4 prefix and a size between its own and 29",
			cfg.NetworkPool, cfg.NetworkSize)
	}
	candidate := netip.PrefixFrom(pool.Masked().Addr(), cfg.NetworkSize)
	for pool.Contains(candidate.Addr()) {
		if !overlapsAny(candidate, used) {
			return candidate, nil
		}
		candidate = netip.PrefixFrom(after(candidate), cfg.NetworkSize)
	}
	return netip.Prefix{}, fmt.Errorf("docker.network_pool %s has no free /%d left: widen the pool in kuramaconfig.yaml", cfg.NetworkPool, cfg.NetworkSize)
}

func overlapsAny(p netip.Prefix, used []netip.Prefix) bool {
	for _, u := range used {
		if u.Overlaps(p) {
			return true
		}
	}
	return false
}

// after returns the first address behind an IPv4 prefix.
func after(p netip.Prefix) netip.Addr {
	a := p.Addr().As4()
	n := uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3])
	n += 1 << (32 - p.Bits())
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// bridgePrefix starts the names of all bridges of an installation; the packet
// filter matches on it. An interface's name has 15 bytes at the most.
func bridgePrefix(instance string) string { return "kr-" + digest(instance) }

func bridgeName(instance, tenant string) string { return bridgePrefix(instance) + digest(tenant) }

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:3])
}

// hostMTU returns the MTU of the interface that leads out of the host: a
// bridge with a larger one loses the large answers of a tunnelled network.
func hostMTU() int {
	routes, err := os.ReadFile("/proc/net/route")
	if err != nil {
		return 1500
	}
	for line := range strings.Lines(string(routes)) {
		if f := strings.Fields(line); len(f) > 1 && f[1] == "00000000" {
			if i, err := net.InterfaceByName(f[0]); err == nil && i.MTU > 0 {
				return min(i.MTU, 1500)
			}
		}
	}
	return 1500
}

// filterCheck is the pause between two looks at the packet filter; one takes
// some milliseconds.
const filterCheck = 10 * time.Second

// Guard keeps the packet filter around the apps in force until ctx ends: it
// sets it at once, since the host may have lost it while no Kurama ran, and
// again whenever somebody has flushed or changed it.
func (e *Engine) Guard(ctx context.Context) error {
	ticker := time.NewTicker(filterCheck)
	defer ticker.Stop()
	told := false
	for {
		err := e.Refresh(ctx)
		if err != nil && !told && ctx.Err() == nil {
			e.opts.Log.Warn("what tenants may reach cannot be read: it stays as it was", "error", err)
		}
		told = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// checkFilter sets the packet filter again where it is not as it should be.
func (e *Engine) checkFilter(ctx context.Context) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.filter.check(ctx)
}

// Teardown removes every container and network of this installation, and then
// its rules in the packet filter. It is for tests and for uninstalling.
func (e *Engine) Teardown(ctx context.Context) error {
	var errs []error
	for _, kind := range []string{KindReplica, KindRun, KindBuild, KindCheck} {
		errs = append(errs, e.removeAll(ctx, kind))
	}
	errs = append(errs, e.UnmountVolumes()) // they stay, with what they hold
	own := filters.NewArgs(filters.Arg("label", LabelInstance+"="+e.opts.Instance))
	networks, err := e.docker.NetworkList(ctx, network.ListOptions{Filters: own})
	errs = append(errs, err)
	for _, n := range networks {
		errs = append(errs, e.docker.NetworkRemove(ctx, n.ID))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.ensured)
	e.filter.remove(ctx)
	e.removeShares()
	return errors.Join(errs...)
}
