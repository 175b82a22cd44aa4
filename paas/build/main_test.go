package build

import (
	"context"
	"os"
	"testing"

	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
)

// TestMain removes the base image with the tests' own SDK at the end. The
// image below it is kept, as an installation keeps it.
func TestMain(m *testing.M) {
	code := m.Run()
	if docker, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation()); err == nil {
		b := &Builder{opts: Options{Docker: docker}, official: officialImage}
		b.cfg.Base = "auto"
		if boot, ok := b.knownBootstrap(context.Background()); ok {
			if sdk, err := packSDK(tinySDK()); err == nil {
				_, _ = docker.ImageRemove(context.Background(), baseTag(boot, sdk), image.RemoveOptions{})
			}
		}
	}
	os.Exit(code)
}
