// For the image's HEALTHCHECK: exits with 0 if the server in this container responds, else with 1.
try {
  const response = await fetch(`http://127.0.0.1:${process.env.PORT?.trim() || '4000'}/livez`);
  process.exitCode = response.ok ? 0 : 1;
} catch {
  process.exitCode = 1;
}
