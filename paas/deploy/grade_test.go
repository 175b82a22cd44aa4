package deploy

import (
	"os"
	"strings"
	"testing"

	"kurama/paas"
)

func TestGrade(t *testing.T) {
	limits := paas.Limits{CPU: 0.5, Memory: 256 << 20, Disk: 64 << 20, Pids: 128}
	tried := targets{tenants: []string{"10.0.0.2:8000"}, neighbours: []string{"10.0.0.3:8000"}, host: []string{"192.0.2.1:9"}, metadata: []string{"169.254.169.254:80"}}
	good := inside{UID: 20001, GID: 20001, Groups: []int{20001}, NoNewPrivs: true, Seccomp: true, Memory: "268435456", Pids: "128", CPU: "50000", Version: "Linux version 4.4.0"}
	goodTwin := twin{Cores: 0.51, Processes: 120, Disk: 64 << 20, Memory: 200 << 20, Killed: true}
	bad := func(change func(*inside, *twin)) (names []string) {
		in, tw := good, goodTwin
		change(&in, &tw)
		for _, c := range append(gradeInside(in, limits, tried, "runsc"), gradeTwin(tw, limits)...) {
			if c.Says == "" || c.Where == "" {
				t.Errorf("%s says nothing", c.Name)
			}
			if !c.OK {
				names = append(names, c.Name)
			}
		}
		return names
	}
	if names := bad(func(*inside, *twin) {}); names != nil {
		t.Fatalf("what is well fails: %v", names)
	}
	f := func(want string, change func(*inside, *twin)) {
		t.Helper()
		if names := bad(change); len(names) != 1 || names[0] != want {
			t.Errorf("got %v, not %s", names, want)
		}
	}
	f("user", func(in *inside, _ *twin) { in.UID = 0 })
	f("user", func(in *inside, _ *twin) { in.Groups = []int{20001, 0} })
	f("capabilities", func(in *inside, _ *twin) { in.Capabilities = 1 << 21 })
	f("no_new_privileges", func(in *inside, _ *twin) { in.NoNewPrivs = false })
	f("seccomp", func(in *inside, _ *twin) { in.Seccomp = false })
	f("user_namespace", func(in *inside, _ *twin) { in.UserNamespace = true })
	f("root_filesystem", func(in *inside, _ *twin) { in.Writes = []string{"/app"} })
	f("root_filesystem", func(in *inside, _ *twin) { in.Disks = []string{"/host"} })
	f("kernel", func(in *inside, _ *twin) { in.Kernel = []string{"/proc/kcore"} })
	f("engine_socket", func(in *inside, _ *twin) { in.Sockets = []string{"/run/docker.sock"} })
	host, err := os.ReadFile("/proc/version")
	if err != nil {
		t.Fatal(err)
	}
	f("runtime", func(in *inside, _ *twin) { in.Version = strings.TrimSpace(string(host)) })
	f("memory_limit", func(in *inside, _ *twin) { in.Memory = "9223372036854771712" })
	f("process_limit", func(in *inside, _ *twin) { in.Pids = "max" })
	f("cpu_limit", func(in *inside, _ *twin) { in.CPU = "-1" })
	f("cpu_limit", func(in *inside, _ *twin) { in.CPU = "max 100000" })
	f("cpu_limit", func(in *inside, _ *twin) { in.CPU = "200000 100000" })
	f("other_tenants", func(in *inside, _ *twin) { in.Reached = tried.tenants })
	f("neighbours", func(in *inside, _ *twin) { in.Reached = tried.neighbours })
	f("host", func(in *inside, _ *twin) { in.Reached = tried.host })
	f("metadata", func(in *inside, _ *twin) { in.Reached = tried.metadata })
	f("ipv6", func(in *inside, _ *twin) { in.IPv6 = []string{"eth0"} })
	f("cpu_hog", func(_ *inside, tw *twin) { tw.Cores = 1.9 })
	f("fork_bomb", func(_ *inside, tw *twin) { tw.Processes = 192 })
	f("disk_fill", func(_ *inside, tw *twin) { tw.Disk = 144 << 20 })
	f("memory_hog", func(_ *inside, tw *twin) { tw.Killed, tw.Memory = false, 512<<20 })
	f("memory_hog", func(_ *inside, tw *twin) { tw.Memory = 0 })
}

func TestWhatCouldNotBeTriedIsNotOnTheCard(t *testing.T) {
	for _, c := range gradeInside(inside{}, paas.Limits{}, targets{}, "runc") {
		if c.Name == "other_tenants" || c.Name == "host" {
			t.Errorf("%s: %s", c.Name, c.Says)
		}
	}
}
