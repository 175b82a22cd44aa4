// A browser gives up what it is loading when the host's network changes, and a
// host that starts containers changes its network all the time. A page whose
// program did not arrive is loaded again, a few times.
(() => {
  const key = 'kurama-again';
  const most = 5;
  let failed = false;
  addEventListener('error', ({ target }) => {
    const program = target instanceof HTMLScriptElement || (target instanceof HTMLLinkElement && target.rel === 'stylesheet');
    const tried = Number(sessionStorage.getItem(key) ?? 0);
    if (!program || failed || tried >= most) return;
    failed = true;
    sessionStorage.setItem(key, String(tried + 1));
    setTimeout(() => location.reload(), 200 * (tried + 1));
  }, true);
  addEventListener('load', () => failed || sessionStorage.removeItem(key));
})();
