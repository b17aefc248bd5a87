// Draws each <figure data-chart="id"> from the JSON block with that id; colours come from the style sheet.
(() => {
  "use strict";

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // The server names colours as var(--token); the drawing library wants them resolved.
  const resolved = (value) => {
    if (typeof value === "string") {
      const match = /^var\((--[a-z0-9-]+)\)$/.exec(value);
      return match ? css(match[1]) : value;
    }
    if (Array.isArray(value)) return value.map(resolved);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolved(each)]));
    }
    return value;
  };

  const axis = () => ({
    color: css("--muted"),
    gridcolor: css("--chart-grid"),
    linecolor: css("--line-strong"),
    zerolinecolor: css("--chart-grid"),
    automargin: true,
    title: { font: { size: 13 }, standoff: 12 },
  });

  const layoutOf = (given, narrow) => {
    const layout = {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: css("--sans"), size: narrow ? 12 : 13, color: css("--ink") },
      margin: { l: 8, r: 12, t: 12, b: 8 },
      hoverlabel: { bgcolor: css("--surface"), bordercolor: css("--line-strong"), font: { color: css("--ink"), family: css("--sans") }, align: "left" },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      ...given,
    };
    for (const name of ["xaxis", "yaxis"]) {
      const own = given[name] || {};
      layout[name] = { ...axis(), ...own, title: { ...axis().title, ...(own.title || {}) } };
    }
    return layout;
  };

  const draw = (figure) => {
    const block = document.getElementById(figure.dataset.chart);
    const place = figure.querySelector("[data-chart-place]");
    if (!block || !place || !window.Plotly) return;
    const chart = resolved(JSON.parse(block.textContent));
    if (place.dataset.bars) place.style.height = `${Number(place.dataset.bars) * 32 + 90}px`;
    const narrow = place.clientWidth < 560;
    if (narrow) for (const trace of chart.data) if (trace.mode === "markers+text") trace.mode = "markers";
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const config = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: "reset" };
    const layout = layoutOf(chart.layout || {}, narrow);
    if (still) layout.transition = { duration: 0 };
    window.Plotly.react(place, chart.data, layout, config).then(() => {
      // The drawing is one picture with a name; its figures stand in the table below it.
      for (const svg of place.querySelectorAll("svg")) svg.setAttribute("aria-hidden", "true");
      place.dataset.drawn = "yes";
    });
  };

  const drawAll = () => document.querySelectorAll("figure[data-chart]").forEach(draw);

  document.addEventListener("DOMContentLoaded", drawAll);
  document.addEventListener("htmx:afterSettle", drawAll);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  window.matchMedia("print").addEventListener("change", drawAll);
})();
