/** The code stands behind `#`: it goes into the form, and out of the address and the browser's history. */
const code = document.getElementById('code');

function take() {
  const given = location.hash.slice(1);
  if (given === '' || !code) return;
  history.replaceState(null, '', location.pathname);
  code.value = given;
  document.getElementById('code-row').hidden = true;
  document.getElementById('password').focus();
}

take();
addEventListener('hashchange', take);
