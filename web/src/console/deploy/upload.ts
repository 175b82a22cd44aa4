import { ApiError, apiPath, csrfHeader, seg, sentence } from '../../api/client';
import type { Release } from '../../api/types';
import type { Bundle } from './collect';

/** Sends a bundle as a new release of app; progress goes from 0 to 1. */
export function upload(app: string, bundle: Bundle, progress: (part: number) => void): Promise<Release> {
  return new Promise((done, fail) => {
    const xhr = new XMLHttpRequest(); // fetch tells nothing about how much was sent
    xhr.open('POST', apiPath(`/apps/${seg(app)}/releases`));
    for (const [k, v] of Object.entries(csrfHeader())) xhr.setRequestHeader(k, v);
    xhr.upload.onprogress = (e) => e.lengthComputable && progress(e.loaded / e.total);
    xhr.onload = () => {
      if (xhr.status < 300) return done(JSON.parse(xhr.responseText) as Release);
      const { message, problem } = sentence(xhr.status, xhr.responseText);
      fail(new ApiError(xhr.status, message, problem));
    };
    xhr.onerror = () => fail(new Error('The upload broke off before the console answered. Nothing was deployed: try again.'));
    if (bundle.form === 'folder') {
      const form = new FormData();
      for (const p of bundle.parts) form.append(p.path, p.file, p.path.split('/').pop());
      xhr.send(form);
      return;
    }
    xhr.setRequestHeader('Content-Type', bundle.type);
    xhr.setRequestHeader('X-Filename', encodeURIComponent(bundle.file.name));
    xhr.send(bundle.file);
  });
}
