package runtime

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
)

func TestRun(t *testing.T) {
	e, spec := setup(t, nil)
	var lines []string
	code, err := e.Run(t.Context(), spec, []string{"sh", "-c", "echo out; sleep 0.1; echo err >&2; printf last; exit 4"},
		func(stream, line string) { lines = append(lines, stream+":"+line) })
	if err != nil || code != 4 || strings.Join(lines, " ") != "stdout:out stderr:err stdout:last" {
		t.Errorf("got %d %q, %v", code, lines, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := e.Run(ctx, spec, []string{"sleep", "60"}, func(string, string) {}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if _, err := e.docker.ContainerCreate(t.Context(), &container.Config{Image: spec.Image, Labels: map[string]string{
		LabelInstance: e.opts.Instance, LabelKind: KindRun}}, nil, nil, nil, ""); err != nil {
		t.Fatal(err)
	}
	if err := e.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, err := e.list(t.Context(), KindRun); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
