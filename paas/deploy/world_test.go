package deploy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/docker/docker/client"
	"github.com/jackc/pgx/v5/pgxpool"

	"kurama/internal/config"
	"kurama/internal/postgres"
	"kurama/internal/postgres/pgtest"
	"kurama/paas"
	"kurama/paas/build"
	"kurama/paas/database"
	"kurama/paas/deploy"
	"kurama/paas/runtime"
	"kurama/paas/store"
	"kurama/sdk/python"
)

// world is where a deployer works; another process can work there, too.
type world struct {
	DSN, Data, Instance string
	Config              config.Config
}

// parts are the real things that a deployer works with.
type parts struct {
	pool     *pgxpool.Pool
	store    *store.Store
	policies *store.Policies
	engine   *runtime.Engine
	build    *build.Builder
	docker   *client.Client

	databases *database.Keeper
}

func (w world) open(ctx context.Context, log *slog.Logger) (*parts, error) {
	pool, err := postgres.Open(ctx, w.DSN, 8)
	if err != nil {
		return nil, err
	}
	apps := pgtest.NewApps()
	p := &parts{pool: pool, store: store.New(pool), policies: store.NewPolicies(pool, w.Config.Autoscaler.Default())}
	p.databases = database.New(w.Config.Databases, database.Deps{Store: p.store, Address: apps.Address, Socket: apps.Socket, Want: apps.Start, Log: log})
	if p.engine, err = runtime.New(w.Config.Docker, runtime.Options{Instance: w.Instance, RunDir: filepath.Join(w.Data, "run"), StandbyDir: filepath.Join(w.Data, "standby"), VolumeDir: filepath.Join(w.Data, "volumes"), Postgres: apps.Socket, Log: log}); err != nil {
		return nil, err
	}
	if p.docker, err = runtime.Client(""); err != nil {
		return nil, err
	}
	p.build, err = build.New(w.Config.Build, build.Options{Data: w.Data, Instance: w.Instance, Threads: w.Config.App.Threads, SDK: python.Files(),
		Docker: p.docker, Network: p.engine.BuildNetwork, Log: log})
	return p, err
}

func (p *parts) close() {
	p.docker.Close()
	p.engine.Close()
	p.pool.Close()
}

// order is what a process of its own does in a world, until it is killed.
type order struct {
	World  world
	App    string
	Upload string // file to deploy; empty: the app is deleted
}

const orderEnv = "KURAMA_TEST_ORDER"

// TestMain lets the test binary serve as the process of Kurama that is killed.
func TestMain(m *testing.M) {
	text := os.Getenv(orderEnv)
	if text == "" {
		os.Exit(m.Run())
	}
	var o order
	err := json.Unmarshal([]byte(text), &o)
	if err == nil {
		err = o.obey(context.Background())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func (o order) obey(ctx context.Context) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	parts, err := o.World.open(ctx, log)
	if err != nil {
		return err
	}
	d := deploy.New(deploy.Options{App: o.World.Config.App, Domain: "localhost"},
		deploy.Deps{Store: parts.store, Decided: parts.policies, Builder: parts.build, Engine: parts.engine, Router: &tables{}, Events: &events{}, Disk: roomy{}, Databases: parts.databases, Log: log})
	failed := make(chan error, 1)
	go func() {
		if o.Upload == "" {
			failed <- d.Delete(ctx, paas.DefaultTenant, o.App)
			return
		}
		if _, err := d.Deploy(ctx, paas.DefaultTenant, o.App, "tester", paas.Upload{Path: o.Upload, Type: paas.UploadZip, Name: "app.zip"}); err != nil {
			failed <- err
		}
	}()
	go func() { failed <- d.Run(ctx) }()
	return <-failed
}

// process has another process of Kurama do something in p's world, and returns
// how to kill it.
func (p *platform) process(app string, up paas.Upload) (kill func()) {
	p.t.Helper()
	text, err := json.Marshal(order{World: p.world, App: app, Upload: up.Path})
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), orderEnv+"="+string(text))
	cmd.Stderr = p.t.Output()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	return func() {
		p.t.Helper()
		_ = cmd.Process.Kill() // says so when it has ended already
		if err := cmd.Wait(); err == nil || cmd.ProcessState.Exited() {
			p.t.Errorf("the process ended before it was killed: %v", err)
		}
	}
}
