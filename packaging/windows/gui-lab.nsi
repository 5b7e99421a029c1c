; Per-user installer for Windows: no administrator is asked. Built by build.ps1, which passes VERSION and SOURCE.
Unicode true
Name "GUI Lab"
OutFile "..\..\dist\gui-lab-${VERSION}-windows-x86_64.exe"
InstallDir "$LOCALAPPDATA\Programs\GUI Lab"
RequestExecutionLevel user
SetCompressor /SOLID lzma

!include "MUI2.nsh"
!define MUI_ICON "..\..\build\gui-lab.ico"
!define KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\GUI Lab"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!define MUI_FINISHPAGE_RUN "$INSTDIR\gui-lab.exe"
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

Section
  SetOutPath "$INSTDIR"
  RMDir /r "$INSTDIR\_internal"
  File /r "${SOURCE}\*"
  CreateShortcut "$SMPROGRAMS\GUI Lab.lnk" "$INSTDIR\gui-lab.exe"
  WriteRegStr HKCU "Software\Classes\.lab" "" "GUILab.Document"
  WriteRegStr HKCU "Software\Classes\GUILab.Document" "" "GUI Lab experiment or lesson"
  WriteRegStr HKCU "Software\Classes\GUILab.Document\DefaultIcon" "" "$INSTDIR\gui-lab.exe,0"
  WriteRegStr HKCU "Software\Classes\GUILab.Document\shell\open\command" "" '"$INSTDIR\gui-lab.exe" "%1"'
  WriteRegStr HKCU "${KEY}" "DisplayName" "GUI Lab"
  WriteRegStr HKCU "${KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${KEY}" "DisplayIcon" "$INSTDIR\gui-lab.exe"
  WriteRegStr HKCU "${KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteUninstaller "$INSTDIR\uninstall.exe"
SectionEnd

Section "Uninstall"
  ; What the person made (runs, experiments, pictures) lies elsewhere and stays.
  RMDir /r "$INSTDIR\_internal"
  Delete "$INSTDIR\gui-lab.exe"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  Delete "$SMPROGRAMS\GUI Lab.lnk"
  DeleteRegKey HKCU "Software\Classes\GUILab.Document"
  DeleteRegKey HKCU "Software\Classes\.lab"
  DeleteRegKey HKCU "${KEY}"
SectionEnd
