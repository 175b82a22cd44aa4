package runtime

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// Output returns the bytes that the engine keeps of what the containers of each
// tenant wrote. What cannot be looked at (an engine on another host) counts
// nothing.
func (e *Engine) Output(ctx context.Context) (map[string]int64, error) {
	listed, err := e.list(ctx, KindReplica)
	if err != nil {
		return nil, err
	}
	sizes := map[string]int64{}
	for _, l := range listed {
		c, err := e.docker.ContainerInspect(ctx, l.ID)
		if err != nil || c.LogPath == "" {
			continue // removed since the listing
		}
		files, _ := filepath.Glob(c.LogPath + "*") // a rotated one has a number behind its name
		for _, f := range files {
			if info, err := os.Stat(f); err == nil {
				sizes[l.Labels[LabelTenant]] += info.Size()
			}
		}
	}
	return sizes, nil
}

// Logs returns the last lines that a replica wrote on stdout and stderr.
func (e *Engine) Logs(ctx context.Context, replica string, lines int) ([]string, error) {
	out, err := e.docker.ContainerLogs(ctx, e.name(replica),
		container.LogsOptions{ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(lines)})
	if err != nil {
		return nil, fmt.Errorf("output of replica %s: %w", replica, meaning(err))
	}
	defer out.Close()
	var text bytes.Buffer
	if _, err := stdcopy.StdCopy(&text, &text, out); err != nil {
		return nil, fmt.Errorf("output of replica %s: %w", replica, err)
	}
	trimmed := strings.TrimRight(text.String(), "\n")
	if trimmed == "" {
		return nil, nil
	}
	return strings.Split(trimmed, "\n"), nil
}

// maxLine bounds one line of a command's output; the rest of a longer one
// comes as the next line.
const maxLine = 64 << 10

// copyLines splits the engine's multiplexed output into lines and calls fn with
// each, one at a time.
func copyLines(from io.Reader, fn func(stream, line string)) error {
	var mu sync.Mutex
	var reading sync.WaitGroup
	writer := func(stream string) *io.PipeWriter {
		r, w := io.Pipe()
		reading.Go(func() {
			defer r.Close()
			lines := bufio.NewReaderSize(r, maxLine)
			for {
				line, _, err := lines.ReadLine()
				if err != nil {
					return
				}
				mu.Lock()
				fn(stream, string(line))
				mu.Unlock()
			}
		})
		return w
	}
	stdout, stderr := writer("stdout"), writer("stderr")
	_, err := stdcopy.StdCopy(stdout, stderr, from)
	stdout.Close()
	stderr.Close()
	reading.Wait()
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
