# Builds dist\gui-lab-VERSION-windows-x86_64.exe. Needs Python 3.11, uv and NSIS (makensis) on the PATH.
$ErrorActionPreference = "Stop"
Set-Location (Join-Path $PSScriptRoot "..\..")
python packaging\build.py folder
if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
$version = (Select-String -Path pyproject.toml -Pattern '^version = "(.+)"').Matches[0].Groups[1].Value
makensis "/DVERSION=$version" "/DSOURCE=$PWD\dist\gui-lab" packaging\windows\gui-lab.nsi
exit $LASTEXITCODE
