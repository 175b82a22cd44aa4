package build

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
)

// oldBase is how long a base image that nobody uses is kept: another
// installation on the host may still be of the version that made it.
const oldBase = 24 * time.Hour

// RemoveOldBases removes the base images that earlier versions of the SDK have
// left, once they are a day old and no container uses them. Images without
// Kurama's own name and label are never touched. Images with Debian packages that
// no kept release asks for go before them.
func (b *Builder) RemoveOldBases(ctx context.Context) error {
	if err := b.dropUnusedPackages(ctx); err != nil {
		return err
	}
	return b.removeOf(ctx, time.Now().Add(-oldBase), func(tag string) bool { return strings.HasPrefix(tag, baseName+":") })
}

// removeOf removes the unused base images that were made before a time and have
// a tag that may go.
func (b *Builder) removeOf(ctx context.Context, before time.Time, mayGo func(tag string) bool) error {
	own := filters.NewArgs(filters.Arg("label", bootLabel), filters.Arg("reference", baseName))
	images, err := b.opts.Docker.ImageList(ctx, image.ListOptions{Filters: own})
	if err != nil {
		return fmt.Errorf("old base images: %w", err)
	}
	used, err := b.usedImages(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, i := range images {
		if used[i.ID] || time.Unix(i.Created, 0).After(before) {
			continue
		}
		for _, tag := range i.RepoTags {
			if !mayGo(tag) {
				continue
			}
			_, err := b.opts.Docker.ImageRemove(ctx, tag, image.RemoveOptions{})
			if err != nil && !cerrdefs.IsNotFound(err) && !cerrdefs.IsConflict(err) { // a container may have come meanwhile
				errs = append(errs, fmt.Errorf("base image %s: %w", tag, err))
				continue
			}
			b.opts.Log.Info("an old base image is removed", "image", tag)
		}
	}
	return errors.Join(errs...)
}

// usedImages returns the images that must stay: those of all containers on the
// engine, whoever's they are, and the one that new replicas get.
func (b *Builder) usedImages(ctx context.Context) (map[string]bool, error) {
	containers, err := b.opts.Docker.ContainerList(ctx, container.ListOptions{All: true})
	if err != nil {
		return nil, fmt.Errorf("images in use: %w", err)
	}
	used := map[string]bool{}
	for _, c := range containers {
		used[c.ImageID] = true
	}
	base, err := b.ready(ctx, func(string) {})
	if err != nil {
		return nil, err
	}
	id, _, err := b.imageID(ctx, base.image)
	used[id] = true
	return used, err
}
