/** The look of the page, light and dark as the reader's system has it. Colours are told apart by lightness too. */
export const STYLE = `
:root{color-scheme:light dark;--ground:#fbfbfa;--card:#fff;--ink:#1c2024;--soft:#5b6470;--line:#dfe2e6;
--before:#8a94a3;--after:#2563c4;--healthy:#8fc7a3;--unhealthy:#c2352b;--ejected:#8e5bb5;--draining:#e0a526;--bad:#c2352b;--rejected:#e08a3c}
@media (prefers-color-scheme:dark){:root{--ground:#14171a;--card:#1c2024;--ink:#e8eaed;--soft:#9aa4b0;--line:#343a42;
--before:#7d8896;--after:#6ea4f4;--healthy:#356b4a;--unhealthy:#f06a5f;--ejected:#b48ad6;--draining:#d9a634;--bad:#f06a5f;--rejected:#e39a55}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:1040px;margin:0 auto;padding:28px 16px 60px}
header p{margin:2px 0;color:var(--soft);overflow-wrap:anywhere}
header .beware{color:var(--ink)}
.beware strong{color:var(--bad)}
.brand{font-size:13px;letter-spacing:.04em}
h1{font-size:26px;line-height:1.25;margin:2px 0 6px;overflow-wrap:anywhere}
h2{font-size:18px;margin:0 0 4px}
table+h2,.scroll+h2{margin-top:28px}
h3{font-size:15px;margin:20px 0 4px}
section{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:18px 20px;margin-top:16px}
section.damage{border-color:var(--bad)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:12px;margin:18px 0 0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px 14px}
.tile dt{color:var(--soft);font-size:13px}
.tile dd{margin:2px 0 0;font-size:18px;font-variant-numeric:tabular-nums}
.tile strong,.tile .was{white-space:nowrap}
.tile .was,.tile .arrow{color:var(--soft);font-size:15px}
.legend{color:var(--soft);margin:0 0 10px;font-size:14px}
.key{display:inline-block;width:12px;height:12px;border-radius:2px;margin:0 5px -1px 10px}
.legend .key:first-child{margin-left:0}
.plot{overflow-x:auto}
.plot svg{display:block;width:100%;min-width:640px;height:auto}
svg text{font:12px system-ui,-apple-system,"Segoe UI",sans-serif;fill:var(--ink)}
svg .tick{fill:var(--soft);font-size:11px;font-variant-numeric:tabular-nums}
svg .value{fill:var(--soft);font-variant-numeric:tabular-nums}
svg .grid{stroke:var(--line);stroke-width:1}
svg .axis{stroke:var(--soft);stroke-width:1}
.state-healthy{fill:var(--healthy);background:var(--healthy)}
.state-unhealthy{fill:var(--unhealthy);background:var(--unhealthy)}
.state-ejected{fill:var(--ejected);background:var(--ejected)}
.state-draining,.state-drained{fill:var(--draining);background:var(--draining)}
.before{fill:var(--before);background:var(--before)}
.after{fill:var(--after);background:var(--after)}
.bad{fill:var(--bad);background:var(--bad)}
.rejected{fill:var(--rejected);background:var(--rejected)}
svg .mark{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:3 3}
svg .line{fill:none;stroke-width:2;stroke-linejoin:round}
svg .line.before{stroke:var(--before);stroke-dasharray:5 3}
svg .line.after{stroke:var(--after)}
ul{margin:6px 0 0;padding-left:20px}
li{margin:3px 0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;margin-top:8px;font-size:14px;font-variant-numeric:tabular-nums}
th,td{padding:4px 12px 4px 0;border-bottom:1px solid var(--line);text-align:left;font-weight:400;vertical-align:top}
thead th{color:var(--soft);font-size:13px;vertical-align:bottom}
.numbers td,.numbers thead th+th{text-align:right;padding:4px 0 4px 18px}
.indent-2{padding-left:16px}
.indent-4{padding-left:32px;color:var(--soft)}
`;
